# Shared by run.sh and test.sh: each step checks whether it has anything to do. Sourced, in the repository's root.

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1

need_dotnet() {
  command -v dotnet >/dev/null || fail "The .NET SDK $(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json) is needed: https://dot.net"
  dotnet --version >/dev/null 2>&1 || fail "The .NET SDK that global.json names is needed ($(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json)): https://dot.net"
}

need_node() {
  local needed="Node.js 20.19, or 22.12 or later, is needed"
  command -v node >/dev/null || fail "$needed: https://nodejs.org"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)' \
    || fail "$needed; this is $(node --version): https://nodejs.org"
}

# need_system_programs <may miss bwrap> program:package ...
need_system_programs() {
  local may_miss=$1 missing=() pair; shift
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing ${missing[*]} with apt-get …"
    { apt-get install -y -q "${missing[@]}" || { apt-get update -q && apt-get install -y -q "${missing[@]}"; }; } >/tmp/coordinator-apt.log 2>&1 \
      || { tail -5 /tmp/coordinator-apt.log >&2; fail "apt-get could not install ${missing[*]}."; }
  elif [ "${missing[*]}" = bubblewrap ] && [ "$may_miss" = true ]; then
    say "bubblewrap is missing: agents will run WITHOUT isolation, as --unisolated says."
  else
    fail "Missing: ${missing[*]}. Install with: sudo apt-get install ${missing[*]}"
  fi
}

# changed <stamp> <path ...>: true when a file below the paths is newer than the stamp, or there is none.
changed() {
  local stamp=$1; shift
  [ -e "$stamp" ] || return 0
  [ -n "$(find "$@" \( -name node_modules -o -name bin -o -name obj -o -name dist \) -prune -o -type f -newer "$stamp" -print -quit 2>/dev/null)" ]
}

stamp() { mkdir -p "$(dirname "$1")"; touch "$1"; }

install_npm_packages() {
  local folder=$1 mark="$1/node_modules/.coordinator-stamp"
  changed "$mark" "$folder/package-lock.json" || return 0
  say "Installing npm packages of ${folder} …"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  stamp "$mark"
}

opencode_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo opencode-linux-x64 ;;
    Linux-aarch64) echo opencode-linux-arm64 ;;
    *) fail "Boxes run on Linux; this is $(uname -s) $(uname -m)." ;;
  esac
}

runtime_id() { case "$(uname -m)" in aarch64) echo linux-arm64 ;; *) echo linux-x64 ;; esac; }

build_web() {
  install_npm_packages src/Web
  changed src/Web/dist/.coordinator-stamp src/Web || return 0
  say "Building the web page …"
  (cd src/Web && npm run build --silent >&2)
  stamp src/Web/dist/.coordinator-stamp
}

build_box() {
  changed artifacts/box/.stamp src/Sandbox src/Ports src/Adapters/OpenCode src/Adapters/Acp Directory.Build.props Directory.Packages.props || return 0
  say "Publishing the program that runs in boxes …"
  dotnet publish src/Sandbox -c Release -r "$(runtime_id)" --self-contained \
    -p:DebugType=none -p:GenerateDocumentationFile=false -o artifacts/box -v q --nologo >&2
  stamp artifacts/box/.stamp
}

# publish <project> <folder>: says nothing that changes how a project is compiled, so that whoever builds next finds it done.
# Further arguments go to dotnet.
publish() { dotnet publish "$1" -c Release -o "$2" -p:PublishDocumentationFiles=false -v q --nologo "${@:3}" >&2; }

build_programs() {
  build_box
  changed artifacts/host/.stamp src Directory.Build.props Directory.Packages.props || return 0
  say "Building the host, the sandbox host and the command line …"
  publish src/Host artifacts/host
  publish src/SandboxHost artifacts/sandbox-host
  publish src/Cli artifacts/cli
  stamp artifacts/host/.stamp
}
