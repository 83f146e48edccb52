"""`run` holds after 300 passes what it held after 30: descriptors, threads, memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.endurance import grown, least, samples


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what a process holds is read in /proc")
def test_after_300_passes_with_faults_run_holds_what_it_held_after_30(tmp_path: Path) -> None:
    found = samples(tmp_path, lambda passes: passes == 300)
    early, late = least(found[30:60]), least(found[270:300])
    assert late.failures > 30
    assert grown(early, late) == []
