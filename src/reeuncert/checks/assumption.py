"""Which headlines does the evidence inform, and which rest on the prior? The verdict on each."""

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import label_of
from reeuncert.result.learning import COLUMNS, LEVELS, Verdict
from reeuncert.result.result import Result

_VALUES = ("median", "eti90_lb", "eti90_ub", "prior_median", "prior_eti90_lb", "prior_eti90_ub")


def check(result: Result) -> list[CheckResult]:
    """The verdict of every headline; a warning for each that the evidence alone does not carry."""
    name = "verdicts on headlines"
    if not result.has_case or "derived" not in result.dt.children:
        return [information(name, "This result holds no case, or no indicator: no headline to judge.")]
    table = result.once(all_headlines)
    if table.empty or (table["level"] == "information").all():
        return [
            information(name, " ".join(["No headline was judged.", *(table["why"].unique() if len(table) else ())]))
        ]
    labels = [label_of(row) for row in table.to_dict("records")]
    shown = table[["verdict", "why", *COLUMNS, *Verdict.__dataclass_fields__, *_VALUES]]
    shown = shown.loc[:, ~shown.columns.duplicated()].assign(headline=labels)
    shown = shown[["headline", *shown.columns[:-1]]].sort_values("to_priors", ascending=False, ignore_index=True)
    count = table["verdict"].value_counts()
    told = ", ".join(f"{word}: {count[word]}" for word in LEVELS if word in count)
    resting = int((table["level"] == "warning").sum())
    message = f"Of {len(table)} headlines, {told}."
    remedy = "Say with each of the others what it rests on."
    return [warned(name, resting, "<=", 0, message, remedy, shown)]
