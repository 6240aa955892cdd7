from __future__ import annotations

from itertools import combinations_with_replacement, permutations

import pytest

from fairdistill.errors import MethodError, UsageError
from fairdistill.losses import KD, CrossEntropy, Hint
from fairdistill.methods import METHODS, Method, canonical, folder_name, parse

# name: terms, sampler, warm-up, minimax, what is read of the teacher
ROWS = {
    "scratch": ("ce", "shuffled", "", False, ""),
    "hkd": ("ce kd", "shuffled", "", False, "logits"),
    "fitnet": ("ce kd", "shuffled", "hint", False, "feature logits"),
    "at": ("ce at", "shuffled", "", False, "map"),
    "nst": ("ce nst", "shuffled", "", False, "map"),
    "ss": ("ce", "balanced", "", False, ""),
    "ad": ("ce adversary", "shuffled", "", True, ""),
    "ss+hkd": ("ce kd", "balanced", "", False, "logits"),
    "ss+fitnet": ("ce kd", "balanced", "hint", False, "feature logits"),
    "ad+hkd": ("ce adversary kd", "shuffled", "", True, "logits"),
    "ad+fitnet": ("ce adversary kd hint", "shuffled", "", True, "feature logits"),
    "mfd": ("ce mfd", "balanced", "", False, "feature"),
    "reweight": ("reweight", "unbalanced", "", False, ""),
    "dro": ("dro", "balanced", "", False, ""),
    "di": ("di", "shuffled", "", False, ""),
    "dkd": ("ce dkd", "shuffled", "", False, "logits"),
    "rkd": ("ce rkd", "shuffled", "", False, "embedding"),
    "mfd-self": ("ce mfd-self", "balanced", "", False, ""),
    "gapreg": ("ce gapreg", "balanced", "", False, ""),
    "reweight+at": ("reweight at", "unbalanced", "", False, "map"),
    "ss+dro": ("dro", "balanced", "", False, ""),
    "dro+hkd": ("dro kd", "balanced", "", False, "logits"),
    "dro+mfd": ("dro mfd", "balanced", "", False, "feature"),
    "di+mfd": ("di mfd", "balanced", "", False, "feature"),
    "di+ad+fitnet": ("di adversary kd hint", "shuffled", "", True, "feature logits"),
    "di+fitnet+rkd": ("di kd rkd", "shuffled", "hint", False, "embedding feature logits"),
    "mfd+hkd": ("ce mfd kd", "balanced", "", False, "feature logits"),
    "at+nst": ("ce at nst", "shuffled", "", False, "map"),
    "ad+mfd": ("ce adversary mfd", "balanced", "", True, "feature"),
    "ss+ad+fitnet": ("ce adversary kd hint", "balanced", "", True, "feature logits"),
    "at+fitnet+mfd": ("ce at kd mfd", "balanced", "hint", False, "feature logits map"),
}


def names(terms) -> list[str]:
    return sorted(term.name for term in terms)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_or_a_users_sum_has_its_terms_sampler_and_stages(name):
    terms, sampler, warmup, minimax, teacher_taps = ROWS[name]
    method = parse(name, data="cifar10s")
    assert names(method.terms) == sorted(terms.split())
    assert (method.sampler, names(method.warmup), method.minimax) == (sampler, warmup.split(), minimax)
    assert sorted(method.teacher_taps) == teacher_taps.split()
    assert method.teacher_taps <= method.student_taps
    assert names(method.all_terms) == sorted({*terms.split(), *warmup.split()})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("HKD+ss", "ss+hkd"),
        (" FitNet + AD ", "ad+fitnet"),
        ("mfd+mfd", "mfd"),
        ("scratch+mfd", "mfd"),
        ("ad+scratch+ss", "ss+ad"),
        ("scratch+scratch", "scratch"),
        ("MFD-self+scratch", "mfd-self"),
        ("hkd+dro", "dro+hkd"),
    ],
)
def test_order_case_repetition_and_scratch_do_not_matter(given, name):
    assert canonical(given) == name
    assert parse(given, data="utkface") == parse(name, data="utkface")


APART = ["reweight+ss", "reweight+mfd", "reweight+mfd-self", "reweight+gapreg", "reweight+dro", "reweight+di", "dro+di"]
PAIRS = list(combinations_with_replacement(METHODS, 2))


@pytest.mark.parametrize(
    ("left", "right"), [pair for pair in PAIRS if not {"+".join(pair), "+".join(pair[::-1])} & {*APART}]
)
def test_addition_is_commutative_up_to_the_order_of_terms(left, right):
    one, other = METHODS[left] + METHODS[right], METHODS[right] + METHODS[left]
    assert set(one.terms) == set(other.terms)
    assert set(one.warmup) == set(other.warmup)
    assert (one.name, one.sampler, one.minimax) == (other.name, other.sampler, other.minimax)
    assert one.class_loss == other.class_loss
    assert one.class_loss in names(one.terms)


def test_the_warmup_folds_into_a_minimax_game_wherever_the_brackets_are():
    ad, fitnet, at = METHODS["ad"], METHODS["fitnet"], METHODS["at"]
    for total in ((fitnet + at) + ad, fitnet + (at + ad), (ad + at) + fitnet):
        assert set(total.terms) == set(parse("ad+at+fitnet", data="cifar10s", settings={"adversary.strength": 1}).terms)
        assert total.warmup == ()


@pytest.mark.parametrize(("name", "suggested"), [("fitnett", "fitnet"), ("ss+hdk", "hkd"), ("mdf", "mfd")])
def test_an_unknown_part_is_named_with_the_nearest_and_all_that_there_are(name, suggested):
    with pytest.raises(MethodError, match=f"did you mean '{suggested}'") as caught:
        parse(name, data="cifar10s")
    assert repr(name.split("+")[-1]) in str(caught.value)
    assert all(known in str(caught.value) for known in METHODS)


def test_one_term_with_two_settings_is_an_error_that_names_both_parts():
    with pytest.raises(MethodError, match=r"'hkd' and 'fitnet'.*'kd'.*--set kd\."):
        parse("hkd+fitnet", data="utkface")  # T is 3 and 5 there


def test_one_term_with_equal_settings_or_with_one_given_is_one_term():
    assert names(parse("hkd+fitnet", data="cifar10s").terms) == ["ce", "kd"]
    settled = parse("hkd+fitnet", data="utkface", settings={"kd.temperature": 4})
    assert settled.settings["kd.temperature"] == 4


def test_one_term_with_two_settings_in_different_stages_is_an_error_too():
    weak = Method("at", (CrossEntropy(), Hint(strength=0.5)))
    with pytest.raises(MethodError, match="'at' and 'fitnet'"):
        weak + METHODS["fitnet"]


def test_two_samplers_are_an_error_that_names_both_parts():
    other = Method("mfd", (CrossEntropy(),), sampler="alternating")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match=r"'mfd' and 'ss'.*samplers.*alternating and balanced"):
        other + METHODS["ss"]


@pytest.mark.parametrize("pair", APART)
def test_two_ways_to_weigh_the_cells_are_an_error_that_names_both_parts(pair):
    for left, right in permutations(pair.split("+")):
        with pytest.raises(
            MethodError, match=f"cannot add '{left}' and '{right}': (their samplers differ|each replaces cross-entropy)"
        ):
            METHODS[left] + METHODS[right]


def test_a_loss_in_the_place_of_cross_entropy_stays_there_in_any_sum():
    total = METHODS["dro"] + METHODS["at"] + METHODS["scratch"] + METHODS["ss"]
    assert (names(total.terms), total.class_loss) == (["at", "dro"], "dro")
    with pytest.raises(MethodError, match=r"'dro\+at' and 'di'.*each replaces cross-entropy .*\(dro and di\)"):
        METHODS["dro"] + METHODS["at"] + METHODS["di"]


def test_a_method_made_by_hand_can_be_added_under_its_own_name():
    total = Method("mine", (CrossEntropy(), KD(temperature=2))) + METHODS["ss"]
    assert "mine" in total.name
    assert (names(total.terms), total.sampler) == (["ce", "kd"], "balanced")


def test_given_settings_replace_the_papers_in_every_stage_and_keep_the_rest():
    method = parse("ss+fitnet", data="utkface", settings={"hint.strength": 2, "kd.strength_start": 8})
    assert [term.strength for term in method.warmup] == [2.0]
    assert method.settings == {
        "hint.strength": 2.0, "kd.temperature": 10.0, "kd.strength_start": 8.0, "kd.strength_end": 1.0,
    }  # fmt: skip


def test_a_user_sum_takes_each_parts_own_row():
    settings = parse("mfd+hkd", data="celeba").settings
    assert (settings["mfd.strength"], settings["kd.temperature"]) == (7, 5)


def test_a_setting_keeps_its_kind_when_it_comes_back_from_a_config_file():
    method = parse("ad+mfd", data="cifar10s")
    assert parse("ad+mfd", data="cifar10s", settings=method.settings) == method
    assert isinstance(method.settings["adversary.hidden"], int)


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("mfd", {"mfd.lambda": 1}, r"'mfd' has no setting 'mfd.lambda'; it has: mfd.bandwidth, mfd.strength"),
        ("ss", {"kd.temperature": 1}, r"'ss' has no setting 'kd.temperature'; it has: none"),
        ("ad", {"ad.strength": 1}, r"adversary.strength. The term of 'ad' is adversary: use adversary.strength$"),
        ("ss+hkd", {"hkd.temperature": 1}, r"The term of 'hkd' is kd: use kd.temperature$"),
        ("hkd", {"hkd.strength": 1}, r"it has: kd.strength_end, .*. The term of 'hkd' is kd$"),
        ("fitnet", {"fitnet.strength": 1}, r"The terms of 'fitnet' are hint and kd: use hint.strength$"),
        ("mfd", {"ad.strength": 1}, r"'mfd' has no setting 'ad.strength'; it has: mfd.bandwidth, mfd.strength$"),
        ("dro", {"dro.strength": 1}, r"'dro' has no setting 'dro.strength'; it has: dro.adjustment, dro.step_size$"),
        ("ss", {"ss.strength": 1}, r"'ss' has no setting 'ss.strength'; it has: none$"),
        ("mfd", {"mfd.strength": "7"}, r"'mfd.strength' to be a number of at least 0, but got '7'"),
        ("mfd", {"mfd.strength": True}, r"to be a number of at least 0, but got True"),
        ("mfd", {"mfd.strength": -1}, r"to be a number of at least 0, but got -1"),
        ("tests.own_losses:Small", {"small.strength": float("nan")}, r"to be a finite number, but got nan"),
        ("hkd", {"kd.temperature": 0}, r"kd.temperature to be from 0.01 to 1000, .* but got 0"),
    ],
)
def test_a_setting_that_does_not_exist_or_fit_is_named(name, settings, text):
    with pytest.raises(MethodError, match=text):
        parse(name, data="cifar10s", settings=settings)


def test_a_setting_of_ones_own_may_be_below_0():
    method = parse("mfd+tests.own_losses:GroupMeans", data="cifar10s", settings={"group_means.shift": -1})
    assert (method.settings["group_means.shift"], method.settings["group_means.strength"]) == (-1, 0.1)


@pytest.mark.parametrize(
    ("place", "terms", "sampler", "strength"),
    [
        ("Small", "ce small", "shuffled", 0.5),
        ("ready", "ce small", "shuffled", 3),
        ("balanced", "ce small", "balanced", 0.5),
    ],
)
def test_a_method_of_ones_own_is_the_settings_of_a_term_or_a_whole_method(place, terms, sampler, strength):
    method = parse(f"tests.own_losses:{place}", data="cifar10s")
    assert (method.name, method.sampler) == (f"tests.own_losses:{place}", sampler)
    assert names(method.terms) == terms.split()
    assert method.settings == {"small.strength": strength, "small.power": 2}


def test_a_method_of_ones_own_is_part_of_sums_and_has_settings():
    settings = {"small.strength": 2, "small.power": 4, "kd.temperature": 5}
    method = parse(" HKD + tests.own_losses:Small+SS", data="t.csv", settings=settings)
    assert (method.name, method.sampler) == ("ss+hkd+tests.own_losses:Small", "balanced")
    assert names(method.terms) == ["ce", "kd", "small"]
    assert {name: method.settings[name] for name in settings} == settings
    assert folder_name(method.name) == "ss+hkd+tests.own_losses.Small"
    assert canonical("tests.own_losses:Small+scratch") == "tests.own_losses:Small"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("smal", "has no 'smal' to make a method; did you mean tests.own_losses:Small"),
        ("number", "expected 'number' in .* to be a Method or the settings of a term, but its type is int"),
        ("SmallTerm", "to be a Method or the settings of a term, but it is the class SmallTerm"),
        ("sorted_", "its sampler must be shuffled or balanced or unbalanced, not 'sorted'"),
        ("Changeable", "expected the settings of a term to be a frozen dataclass, but Changeable is none"),
        ("Plain", "expected the settings of a term to be a frozen dataclass, but Plain is none"),
        ("Nameless", "expected Nameless.name to be the term's name, such as 'center', but it is 'my loss'"),
        ("Elsewhere", r"Elsewhere.teacher_taps to be a frozenset of features \(embedding, map, .*'penultimate'"),
        ("Textual", "expected the setting Textual.mode to be a number, but it is 'mean'; write .* as a ClassVar"),
        ("Unset", "give every setting a default value .*strength"),
        ("no_class_loss", r"none of its terms \(small\) is its class_loss, 'ce'; name the one .* add CrossEntropy\(\)"),
        ("misnamed", r"none of its terms \(small\) is its class_loss, 'focal'"),
        ("no_comma", r"its terms and its warmup must be tuples, such as \(CrossEntropy\(\),\)"),
        ("no_comma_in_warmup", "its terms and its warmup must be tuples"),
        ("twice", r"two of its terms have the name 'small': .*strength=0\.5.*strength=3\.0"),
        ("in_both_stages", "two of its terms have the name 'small'"),
        ("Taken", "'ce' is the name of a term that there is already; choose another"),
        ("Unbuilt", r"Unbuilt has no build\(context\), which returns the term"),
        (
            "Small.x",
            r"cannot read the method .*expected MODULE:NAME, for example my_losses:Center for Center",
        ),
    ],
)
def test_what_is_no_method_is_named_with_what_it_lacks(place, message):
    with pytest.raises((MethodError, UsageError), match=message):
        parse(f"tests.own_losses:{place}", data="t.csv")


def test_two_terms_of_one_name_are_an_error_that_names_both_parts():
    with pytest.raises(MethodError, match=r"'tests.own_losses:Small' and 'tests.own_losses:ready': .*the term 'small'"):
        parse("tests.own_losses:Small+tests.own_losses:ready", data="t.csv")


def test_code_that_only_a_file_names_is_not_imported():
    with pytest.raises(UsageError, match=r"the method his_losses:Center is code that a file names, not you.* --method"):
        parse("his_losses:Center", data="t.csv")
