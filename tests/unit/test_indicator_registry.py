"""The table of indicators refuses what would make it ambiguous."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reeuncert.case.records import Expression
from reeuncert.indicators import INDICATORS, UnknownIndicatorError, lookup, valid_names
from reeuncert.indicators.printing import labels_in_words
from reeuncert.indicators.registry import indicator, records_of
from reeuncert.system.definition import Selector
from reeuncert.testing import toy_case


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
        ("x", {"unit": "%"}, "indicator 'x' has unit '%'; use one of: mass, 1"),
        ("x", {"unit": "1", "way": "up"}, "indicator 'x' has way 'up'; use one of: into, out, mutual"),
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


def test_a_case_may_define_an_indicator_of_what_leaves_a_region() -> None:
    where = {"quantity": ("trade",), "origin": ("{region}",), "destination": ("{partner}",)}
    sent = Expression("sent_of_toys", "Sent", "mass", Selector(where))
    back = Selector({**where, "origin": ("{partner}",), "destination": ("{region}",)})
    case = replace(toy_case(2), indicators=(sent, replace(sent, name="got_of_toys", numerator=back)))
    out, into = (records_of(case)[name] for name in ("sent_of_toys", "got_of_toys"))
    assert (out.way, into.way) == ("out", "into")
    at = {"region": "South", "partner": "North"}
    assert labels_in_words(out.name, at) == ["South → North"]
    assert labels_in_words(into.name, at) == ["North → South"]


def test_a_cumulated_name_leads_to_its_indicator() -> None:
    assert lookup("smuggled_mass_cumulated") is INDICATORS["smuggled_mass"]
