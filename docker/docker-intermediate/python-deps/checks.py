# python-deps: the packages of its variant. Environment: ICEBERG, GPU (true or false). (After base/checks.py.)
import importlib.metadata
import subprocess
import tempfile


@check("pip would find nothing at odds")
def _():
    """Each package's own requirements, against what is there: what `pip check` does, without pip."""
    from packaging.requirements import Requirement

    for distribution in importlib.metadata.distributions():
        for text in distribution.requires or []:
            need = Requirement(text)
            if need.marker and not need.marker.evaluate({"extra": ""}):
                continue
            have = importlib.metadata.version(need.name)
            assert need.specifier.contains(have, prereleases=True), f"{distribution.name}: {need}, not {have}"


if os.environ["ICEBERG"] == "true":

    @check("pyiceberg writes and reads a table through fsspec")
    def _():
        import fsspec
        import pyarrow
        from pyiceberg.catalog.memory import InMemoryCatalog

        folder = tempfile.mkdtemp()
        catalog = InMemoryCatalog("local", warehouse="file://" + folder, **{"py-io-impl": "pyiceberg.io.fsspec.FsspecFileIO"})
        catalog.create_namespace("db")
        rows = pyarrow.table({"id": [1, 2, 3]})
        table = catalog.create_table("db.numbers", schema=rows.schema)
        table.append(rows)
        equal(table.scan().to_arrow().column("id").to_pylist(), [1, 2, 3])
        assert fsspec.filesystem("file").exists(folder)


if os.environ["GPU"] == "true":

    @check("cudf, cuml and cupy are installed (they run with a GPU only)")
    def _():
        for package in ("cudf-cu12", "cuml-cu12", "cupy-cuda12x"):
            importlib.metadata.version(package)


finish()
