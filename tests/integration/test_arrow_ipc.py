"""Another reader's word on the Arrow messages that we write: pyarrow, every type, whole and sliced."""

import os
import subprocess

import pyarrow

from harness.paths import ROOT

PROGRAM = ROOT / "build/obj/plain/unit/test_arrow_ipc"
NO_PYTHON_CLASS = {"months", "days"}  # pyarrow reads such intervals and can't show them


def test_pyarrow_reads_every_type(tmp_path):
    sample = tmp_path / "sample.arrows"
    subprocess.run([PROGRAM], check=True, capture_output=True,
                   env=os.environ | {"ARROW_IPC_SAMPLE": str(sample)})
    with pyarrow.ipc.open_stream(sample.read_bytes()) as stream:
        whole, piece = list(stream)
    assert (whole.num_rows, piece.num_rows) == (11, 6)
    assert whole.num_columns == 38
    assert whole.schema.field("time").metadata[b"mysql_type"] == b"DECIMAL"
    assert str(whole.schema.field("zone").type) == "timestamp[s, tz=Europe/Berlin]"
    assert whole.schema.field("s").type.field(2).name == "t_2"
    for index, field in enumerate(whole.schema):
        if field.name in NO_PYTHON_CLASS:
            continue
        column = whole.column(index)
        if field.name != "date_ms":  # its numbers are no whole days
            column.validate(full=True)
        assert column.slice(3, 6).equals(piece.column(index)), field.name
    assert whole.column("u").to_pylist() == ["a", "", None, "dddd", "ee", "fff", "g", None, "hh",
                                            "i", "jjj"]
    assert whole.column("m").to_pylist()[6] == [("k3", 9), ("k4", 12)]
