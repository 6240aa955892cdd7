from __future__ import annotations

from fairdistill.contract import former_names, present_names
from fairdistill.contract.former import FORMER_TERMS
from fairdistill.methods import METHODS


def test_every_former_name_leads_to_a_term_that_there_is_and_none_is_in_use():
    terms = {term.name for method in METHODS.values() for term in method.all_terms}
    assert set(FORMER_TERMS.values()) <= terms
    assert not set(FORMER_TERMS) & terms


def test_names_are_translated_both_ways_and_others_are_left_alone():
    now = {"mfd.strength": 1, "mfd-self.bandwidth": 2, "kd.temperature": 3, "mfd": 4, "lr": 5}
    assert former_names(now) == {"mmd.strength": 1, "self_mmd.bandwidth": 2, "kd.temperature": 3, "mmd": 4, "lr": 5}
    assert present_names(former_names(now)) == present_names(now) == now
