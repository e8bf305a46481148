import threading

import pytest

from wxhelper.sandbox.faults import NO_FAULT, Fault, Faults


def taken(faults: Faults, count: int, service: str = "iam", path: str = "/identity/token"):
    return [faults.take(service, path) for _ in range(count)]


def test_without_faults_all_is_well():
    assert Faults().take("iam", "/identity/token") is NO_FAULT


def test_a_fault_acts_once_unless_told_otherwise():
    faults = Faults()
    faults.add(Fault(status=503))
    assert [fault.status for fault in taken(faults, 3)] == [503, None, None]
    assert faults.waiting() == ()


def test_times_counts_down_and_none_is_for_ever():
    faults = Faults()
    faults.add(Fault(status=503, times=2), Fault(date_skew=60, times=None))
    seen = [(fault.status, fault.date_skew) for fault in taken(faults, 4)]
    assert seen == [(503, 60), (503, 60), (None, 60), (None, 60)]
    assert faults.waiting() == (Fault(date_skew=60, times=None),)


@pytest.mark.parametrize(
    ("match", "acts"),
    [
        ("*", True),
        ("iam", True),
        ("/identity/token", True),
        ("api", False),
        ("/identity", False),
        ("", False),
    ],
)
def test_match_is_a_service_or_a_path_or_a_star(match, acts):
    faults = Faults()
    faults.add(Fault(match=match, status=500))
    assert (faults.take("iam", "/identity/token").status == 500) is acts
    assert len(faults.waiting()) == (0 if acts else 1)


def test_faults_about_one_matter_wait_for_each_other_and_others_combine():
    faults = Faults()
    faults.add(
        Fault(status=429, headers={"Retry-After": "7"}),
        Fault(drop="mid-body"),
        Fault(latency=0.5),
        Fault(drip=(1, 0.1)),
        Fault(lifetime=5),
        Fault(date_skew=-90),
    )
    first, second, third = taken(faults, 3)
    assert first == Fault(
        status=429, headers={"Retry-After": "7"}, latency=0.5, lifetime=5, date_skew=-90
    )
    assert second == Fault(drop="mid-body", drip=(1, 0.1))
    assert third is NO_FAULT


def test_a_waiting_fault_is_not_overtaken():
    faults = Faults()
    faults.add(Fault(status=500), Fault(status=501, latency=1.0), Fault(latency=2.0))
    seen = [(fault.status, fault.latency) for fault in taken(faults, 3)]
    assert seen == [(500, 0.0), (501, 1.0), (None, 2.0)]


def test_one_fault_may_say_several_things():
    gate = threading.Event()
    faults = Faults()
    fault = Fault(status=200, body=b"{}", gate=gate, latency=1.0, lifetime=3, date_skew=1)
    faults.add(fault)
    assert faults.take("iam", "/") == fault


def test_clear_forgets_everything():
    faults = Faults()
    faults.add(Fault(status=500, times=None))
    faults.clear()
    assert faults.take("iam", "/") is NO_FAULT


@pytest.mark.parametrize(
    "values",
    [
        {"times": 0},
        {"latency": -1.0},
        {"drip": (0, 1.0)},
        {"drip_headers": (1, -1.0)},
        {"drip_body": (-1, 1.0)},
        {"status": 100},
        {"status": 600},
        {"drop": "after-lunch"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(values):
    with pytest.raises(ValueError, match=next(iter(values)).partition("_")[0]):
        Fault(**values)


def test_a_fault_that_does_nothing_is_refused_and_nothing_of_the_batch_added():
    faults = Faults()
    with pytest.raises(ValueError, match="what goes wrong"):
        faults.add(Fault(status=500), Fault(match="iam"))
    assert faults.waiting() == ()


def test_every_use_is_given_out_once_under_contention():
    faults = Faults()
    faults.add(Fault(status=500, times=200))
    seen: list[int | None] = []

    def take() -> None:
        seen.extend(fault.status for fault in taken(faults, 50))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen.count(500), seen.count(None)) == (200, 200)
