"""The service built with a sanitizer, a scripted engine in Spark's place: up in no time."""

from .paths import BUILD
from .service import Service


class SanitizedService(Service):
    def __init__(self, mode, data_root, **env):
        super().__init__(data_root, **{"SPARK_SERVICE_SPARK_LINE": "4.1.0"} | env)
        self.program = BUILD / "obj" / mode / "bin" / "fake-service"
