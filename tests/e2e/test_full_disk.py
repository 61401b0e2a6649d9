"""A server whose disk is full, as operators meet it: the command line, `doctor`, the log, and a new start."""

from __future__ import annotations

from pathlib import Path

from tests.support.disks import fill_disk, make_room, mount_disk
from tests.support.processes import Shell, start_servers

_LONG = '\'{"config": {"note": "%s"}}\'' % ("x" * 6_000)


def test_the_disk_is_named_wherever_an_operator_looks(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with mount_disk(tmp_path / "disk", "24m") as disk, start_servers(shell, tmp_path) as serve:
        store = f"--store surrealkv://{disk}/store --port 0"
        served = serve(store)
        shell.env |= served.env
        assert shell("contexts create c1 --namespace n --database d").returncode == 0
        fill_disk(disk)
        while shell(f"api PATCH contexts/c1 -d {_LONG}").returncode == 0:
            pass  # what is left of the last page takes some
        refused = shell("contexts create c2 --namespace n --database e")
        assert refused.returncode == 9
        assert "the disk of the database is full" in refused.stderr
        assert shell("contexts list -o name").stdout == "c1\n"
        assert "the disk of the database is full" in shell("doctor").stdout
        assert served.stop() == 0
        log = (tmp_path / "serve-0.log").read_text()
        assert f"the disk {disk} of {disk}/store has 0 of" in log
        assert log.count("takes no writes") == 1
        assert "Traceback" not in log
        started = shell(f"serve {store}")
        assert started.returncode == 11
        assert "No space left on device" in started.stderr
        make_room(disk)
        assert serve(store).stop() == 0
