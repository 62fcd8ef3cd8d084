"""python -m baselines.train is python -m models.train."""
import runpy

runpy.run_module("models.train", run_name="__main__", alter_sys=True)
