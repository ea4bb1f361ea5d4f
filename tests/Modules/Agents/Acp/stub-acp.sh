#!/bin/sh
# Agrees to everything until it is prompted, and then does what the test says in STUB_SCRIPT.
while read -r line; do
  id=${line#*\"id\":}
  id=${id%%[!0-9]*}
  case $line in
    *'"initialize"'*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":1}}" ;;
    *'"session/new"'*) echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"sessionId\":\"s1\"}}" ;;
    *'"session/prompt"'*) eval "$STUB_SCRIPT" ;;
  esac
done
