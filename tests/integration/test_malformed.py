"""At least 500 malformed requests: the documented status or a close, each within a second."""

import pytest

import http_cases


def test_there_are_enough_of_them():
    cases = list(http_cases.CASES)
    assert len(cases) >= 500
    assert len({bytes(http_cases.case_bytes(case)) for case in cases}) >= 500


@pytest.mark.timeout(600)
def test_each_ends_as_documented(service):
    failures = []
    for case in http_cases.CASES:
        try:
            http_cases.run_case("127.0.0.1", service.port, case)
        except AssertionError as failure:
            failures.append(str(failure))
        service.alive()
    assert not failures, f"{len(failures)} of {len(http_cases.CASES)}:\n" + "\n".join(failures[:20])
    assert service.status_of("/livez") == 200
