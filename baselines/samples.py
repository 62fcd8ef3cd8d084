"""python -m baselines.samples is python -m models.samples."""
import runpy

runpy.run_module("models.samples", run_name="__main__", alter_sys=True)
