# make demo    align and complete the portraits of samples/ with the shipped model
# make test    lint, and the tests of some minutes
# make test-slow  the others: kills, clusters, browsers
# make bench   faces/s of training and face-iterations/s of completion
# make fuzz    broken files of every kind for ten minutes (FUZZ_SECONDS=600): each is read, or refused by its reason
# make lint    ruff over every file
# make clean   remove .venv, and the folders where the demo writes
# Each sets up .venv by itself, once, and again only when the requirements change. Its Python finds the toolkit's modules
# from every folder.
SHELL := /bin/bash
BIN := .venv/bin

FUZZ_SECONDS ?= 600

.PHONY: setup demo test test-slow bench fuzz lint clean

setup: .venv/ready

.venv/ready: requirements.txt requirements-baselines.txt requirements-dask.txt requirements-heic.txt requirements-onnx.txt requirements-dev.txt
	@python=""; \
	for candidate in $(PYTHON) python3.12 python3.11 python3.13 python3.10 python3; do \
	  if $$candidate -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "make setup: needs Python 3.10 to 3.13 (name one with make PYTHON=...)" >&2; exit 2; fi; \
	if [ ! -x $(BIN)/python ]; then $$python -m venv .venv; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "face_completion_toolkit.pth").write_text(f"{pathlib.Path().resolve()}\n")'
	@touch $@

demo: setup
	$(BIN)/python -m preprocess.align_dlib samples/ align innerEyesAndBottomLip aligned/ --size 64
	$(BIN)/python face_completion.py aligned/ --out_dir completed
	$(BIN)/python -m preprocess.align_dlib samples/ align innerEyesAndBottomLip aligned128/ --size 128
	$(BIN)/python face_completion.py aligned128/ --checkpoint checkpoint/celeba128 --out_dir completed128
	$(BIN)/python -m output.beside completed/sizes.png completed/ completed128/
	@echo "Look at completed/report.html, and at both sizes in completed/sizes.png"

test: lint
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: setup
	$(BIN)/python -m pytest -m slow

bench: setup
	$(BIN)/python -m benchmarks.speed

fuzz: setup
	$(BIN)/python -m benchmarks.fuzz --seconds $(FUZZ_SECONDS)

lint: setup
	$(BIN)/ruff check .

clean:
	rm -rf .venv aligned aligned128 completed completed128
