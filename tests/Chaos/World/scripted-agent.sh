#!/bin/bash
# An agent that speaks the Agent Client Protocol over its standard input and output. "count N word" is answered with the
# numbers 1 to N, a moment between two. Each prompt that it is given leaves one line in the file "prompts" of its workspace,
# before anything else is done about it: who counts the lines knows how often each was run. Which number of which word is said next stands in the
# file "said" before it is: whoever reads it knows that all that follows was said later.
pause=0.02
prompts="$PWD/prompts" said="$PWD/said"

answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$1" "$2"; }

say() { printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%s","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"%s "}}}}\n' "$session" "$1"; }

run() { # id text
  local count word more
  printf '%s\n' "$2" >> "$prompts"
  read -r _ count word <<< "$2"
  for ((number = 1; number <= count; number++)); do
    printf '%s %s\n' "$word" "$number" > "$said"
    say "$number"
    if read -r -t "$pause" more; then
      [[ $more == *'"session/cancel"'* ]] && { answer "$1" '{"stopReason":"cancelled"}'; return; }
    elif (($? <= 128)); then
      exit 0
    fi
  done
  answer "$1" '{"stopReason":"end_turn"}'
}

session="conversation-$$"
while read -r line; do
  id=${line#*\"id\":} id=${id%%[,\}]*}
  case $line in
    *'"method":"initialize"'*) answer "$id" '{"protocolVersion":1,"agentCapabilities":{"sessionCapabilities":{"resume":{}}},"agentInfo":{"name":"scripted","version":"1"}}' ;;
    *'"method":"session/new"'*) answer "$id" "{\"sessionId\":\"$session\"}" ;;
    *'"method":"session/resume"'*)
      session=${line##*\"sessionId\":\"} session=${session%%\"*}
      answer "$id" '{}' ;;
    *'"method":"session/prompt"'*)
      text=${line##*\"text\":\"}
      run "$id" "${text%%\"*}" ;;
  esac
done
