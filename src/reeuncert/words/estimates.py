"""Numbers with their interval and unit, as every sentence, table, figure and command prints them."""

import math

ROUNDING = 1e-7  # an interval relatively narrower than this is one number, whose draws differ by errors of rounding


def printed(value: float, form: str) -> str:
    """A number in a format of Python, with a typographic minus sign, and a space before the sign of per cent.

    >>> printed(-0.251, "+.2f"), printed(2.3e-13, ".4g"), printed(0.022, ".1%")
    ('−0.25', '2.3e−13', '2.2 %')
    """
    return format(value, form).replace("-", "\N{MINUS SIGN}").replace("%", " %")


def number(value: float, *, percent: bool = False, sign: bool = False) -> str:
    """Print a number for a sentence: three digits, or a percentage with two; with a sign in any case, if asked.

    >>> number(2996.4), number(0.3147, sign=True), number(0.716, percent=True), number(0.9996, percent=True)
    ('3,000', '+0.315', '72', '100')
    """
    if not math.isfinite(value):
        return "(not defined)"
    rounded = float(f"{100 * value:.2g}" if percent else f"{value:.3g}")
    return printed(rounded + 0.0, "+,.10g" if sign else ",.10g")


def numbers(median: float, low: float, high: float, *, percent: bool = False) -> tuple[str, str, str]:
    """Print a value and the ends of its interval with no more digits than the width of the interval carries.

    Two digits of the width, but two of a small value too.

    >>> numbers(97.4, 58.2, 137.0), numbers(0.713, 0.668, 0.758, percent=True), numbers(1.4, 0.04, 12.0)
    (('97', '58', '137'), ('71.3', '66.8', '75.8'), ('1.4', '0.04', '12'))
    >>> numbers(1.0, 1.0 - 2e-16, 1.0 + 2e-16, percent=True)
    ('100', '100', '100')
    """
    scale = 100.0 if percent else 1.0
    if not all(map(math.isfinite, (low, high))) or high - low <= ROUNDING * max(abs(low), abs(high)):
        return number(median, percent=percent), number(low, percent=percent), number(high, percent=percent)
    place = math.floor(math.log10(scale * (high - low)) + 1e-9) - 1

    def shown(value: float) -> str:
        if not math.isfinite(value):
            return number(value)
        own = place if value == 0 else math.floor(math.log10(scale * abs(value)) + 1e-9) - 1
        digits = -min(max(own, place - 2), place)
        return printed(round(scale * value, digits) + 0.0, f",.{max(digits, 0)}f")

    return shown(median), shown(low), shown(high)


def with_unit(value: float, unit: str = "") -> str:
    """A value with its unit, three digits; ratios (unit 1) in per cent.

    >>> with_unit(0.4567, "1"), with_unit(1234.5, "kt"), with_unit(0.0123), with_unit(float("nan"), "kt")
    ('45.7 %', '1,230 kt', '0.0123', 'not defined')
    """
    if not math.isfinite(value):
        return "not defined"
    return f"{number(100 * value)} %" if unit == "1" else f"{number(value)} {unit}".strip()


def interval(low: float, high: float, unit: str = "") -> str:
    """Both bounds of an interval; ratios (unit 1) in per cent.

    >>> interval(0.1, 0.25, "1"), interval(1.5, 20.0, "kt")
    ('10 to 25 %', '1.5 to 20 kt')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not defined"
    _, lower, upper = numbers(low, low, high, percent=unit == "1")
    return f"{lower} to {upper} {'%' if unit == '1' else unit}".strip()


def estimate(median: float, low: float, high: float, *, unit: str = "") -> str:
    """Median with its interval, where it has one; ratios (unit 1) in per cent.

    >>> estimate(97.4, 58.2, 137.0, unit="kt"), estimate(0.713, 0.668, 0.758, unit="1")
    ('97 kt (58 to 137 kt)', '71.3 % (66.8 to 75.8 %)')
    """
    if not math.isfinite(median):
        return "not defined"
    middle = numbers(median, low, high, percent=unit == "1")[0]
    ends = f" ({interval(low, high, unit)})" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{middle} {'%' if unit == '1' else unit}".strip() + ends
