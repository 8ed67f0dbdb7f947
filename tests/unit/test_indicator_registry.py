"""The table of indicators refuses what would make it ambiguous."""

from __future__ import annotations

import pytest

from reeuncert.indicators import INDICATORS, UnknownIndicatorError, lookup, valid_names
from reeuncert.indicators.registry import indicator


def test_a_name_can_be_registered_once() -> None:
    message = "indicator 'mine_production' is registered already ('Mine production, registered and unregistered'); "
    with pytest.raises(ValueError, match="registered already") as caught:
        indicator("mine_production", title="Again", unit="mass", reference="")
    assert str(caught.value) == message + "choose another name"


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        (
            "x_cumulated",
            {"unit": "1"},
            "indicator 'x_cumulated' must not end in '_cumulated': say cumulated=True instead",
        ),
        (
            "x",
            {"unit": "1", "dims": ("partner", "region")},
            "indicator 'x' has dims ['partner', 'region']; allowed are ['region', 'partner', 'product', 'end_use'], "
            "in this order",
        ),
        ("x", {"unit": "%"}, "indicator 'x' has unit '%'; use 'mass' (unit of the case) or '1' (a ratio)"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused(name: str, more: dict, message: str) -> None:
    with pytest.raises(ValueError, match=r"^indicator 'x") as caught:
        indicator(name, title="X", reference="", **more)
    assert str(caught.value) == message
    assert name not in INDICATORS


@pytest.mark.parametrize(
    ("name", "near"),
    [("import_dependance", "import_dependence"), ("net_import_reliance_cumulated", "net_import_reliance"), ("gdp", "")],
)
def test_an_unknown_name_is_answered_with_the_nearest_ones_first(name: str, near: str) -> None:
    with pytest.raises(UnknownIndicatorError) as caught:
        lookup(name)
    told = str(caught.value)
    assert told.startswith(f"'{name}' is no indicator; " + (f"did you mean '{near}'" if near else ""))
    assert f"({len(valid_names())} in all); all of them: reeuncert.indicators.valid_names()" in told
    assert len(told) < 400


def test_a_cumulated_name_leads_to_its_indicator() -> None:
    assert lookup("smuggled_mass_cumulated") is INDICATORS["smuggled_mass"]
