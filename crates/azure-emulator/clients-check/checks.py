"""Runs the checks of one module against an emulator of its own: `python MODULE EMULATOR-BINARY COUNTS-FILE`."""

import logging
import os
import pathlib
import sys
import tempfile
import time
import traceback

from emulator import Emulator

CHECKS = []


def check(function):
    """Marks a function as a check. Its name is the sentence that it proves."""
    CHECKS.append(function)
    return function


def raises(kind, function, *arguments, **named):
    """The error that a call ends with."""
    try:
        result = function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def main(prefix=""):
    binary, counts = sys.argv[1:3]
    # Refusals are asked for here: the libraries need not report them as well.
    logging.disable(logging.CRITICAL)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator(binary, pathlib.Path(folder))
        # The libraries trust this one CA, whatever the machine trusts otherwise, and go through no proxy.
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(emulator.ca)
        os.environ.pop("CURL_CA_BUNDLE", None)
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"
        try:
            for function in CHECKS:
                name, began = prefix + function.__name__.replace("_", " "), time.monotonic()
                try:
                    function(emulator)
                    passed += 1
                    print(f"ok      {name} ({time.monotonic() - began:.2f} s)", flush=True)
                except Exception:
                    failed += 1
                    print(f"FAILED  {name}", flush=True)
                    traceback.print_exc(file=sys.stdout)
        finally:
            emulator.stop()
    pathlib.Path(counts).write_text(f"{passed} {failed}\n")
    sys.exit(1 if failed else 0)
