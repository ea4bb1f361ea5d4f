#!/bin/sh
# Does what the test says in STUB_SCRIPT, whatever it is asked to do.
eval "$STUB_SCRIPT"
