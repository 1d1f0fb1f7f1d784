# Everything a person or a machine does with bookmesh stands here; `make` alone tells what.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(shell find protos/bookmesh -name '*.proto' 2>/dev/null | sort)

.PHONY: proto
proto: $(VENV)/.installed ## generate gen/ from protos/
	rm -rf gen/bookmesh
	mkdir -p gen
	PATH="$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc --proto_path=protos --python_out=gen --grpc_python_out=gen \
	  --mypy_out=readable_stubs,quiet:gen --mypy_grpc_out=only_async,readable_stubs,quiet:gen $(PROTOS)
