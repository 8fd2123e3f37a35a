"""`tandem report` of a home without a run."""


def test_a_home_without_a_run_says_what_to_do(tandem):
    ended = tandem("report")
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        "tandem: nothing was traded here yet. Run `tandem demo`, or set TANDEM_HOME to the home of a run"
    )


def test_an_unknown_world_is_named(tandem):
    ended = tandem("report", "recycler-9")
    assert ended.returncode == 2
    assert ended.stderr.strip() == "tandem: no world recycler-9. Run `tandem demo` first"
