#!/usr/bin/env bash
# Checks the .NET SDK and, on request, installs what tests compare with. A build needs the SDK and nothing else.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: deploy/setup.sh [--oracles] [--broker] [--servers] [--help]

Checks that the .NET 10 SDK is here. That is all a build, the demo, Kafka and GPUs need; NuGet brings the rest.
Quiet when nothing is missing.

  --oracles   also what tests compare with: Debian's python3-avro, python3-sklearn and python3-onnx
              (some 400 MB; only where apt-get is there: without them these tests are skipped), and, where npm is
              there, Segment's and RudderStack's clients (25 MB, in tests/clients)
  --broker    also Java 17, which a Kafka broker that tests start needs
  --servers   also Debian's PostgreSQL and Redis, which tests of connectors start
  --help      this text
EOF
}

say()  { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

with_oracles=false
with_broker=false
with_servers=false
for argument in "$@"; do
  case $argument in
    --oracles) with_oracles=true ;;
    --broker) with_broker=true ;;
    --servers) with_servers=true ;;
    --help|-h) usage; exit 0 ;;
    *) usage >&2; fail "unknown option '$argument'" ;;
  esac
done

check_sdk() {
  command -v dotnet >/dev/null ||
    fail "the .NET SDK 10 is missing: install dotnet-sdk-10.0 (your distribution's package or Microsoft's installer)"
  # Not grep -q: it leaves at the first hit, and the broken pipe would count as failure.
  dotnet --list-sdks | grep '^10\.' >/dev/null ||
    fail "found no .NET SDK 10, only: $(dotnet --list-sdks | cut -d' ' -f1 | tr '\n' ' '); install dotnet-sdk-10.0"
}

# apt_install PURPOSE PACKAGE...: as root, or by sudo; false where that can't be done.
apt_install() {
  local purpose=$1; shift
  if ! command -v apt-get >/dev/null; then
    say "$purpose; no apt-get here to install (Debian's names): $*"
    return 1
  fi
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      say "$purpose; neither root nor sudo here: ask an administrator to install $*"
      return 1
    fi
    as_root=(sudo)
  fi
  say "installing $*"
  { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null ||
    { say "apt-get could not install $*"; return 1; }
}

# Other implementations that tests compare with, for Debian's own python3. Nothing that is built or run needs them.
bring_oracles() {
  local missing=() module
  for module in avro sklearn onnx; do
    /usr/bin/python3 -c "import $module" 2>/dev/null || missing+=("python3-$module")
  done
  if ((${#missing[@]} == 0)); then return; fi
  apt_install "tests compare with other implementations" python3 "${missing[@]}" ||
    say "going on without: tests that need ${missing[*]} will be skipped"
}

# Clients of other makers that speak to the engine.
bring_clients() {
  local clients; clients="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/tests/clients"
  if [[ -d $clients/node_modules ]]; then return; fi
  if ! command -v npm >/dev/null; then
    say "no npm here: tests that run other makers' clients will be skipped (Debian's packages nodejs and npm)"
    return
  fi
  say "installing npm's packages in $clients"
  # Beside, and then moved as a whole: a half is not taken for all. No package's own scripts are run.
  if (cd "$clients" && rm -rf node_modules.part && mkdir node_modules.part && cp package.json package-lock.json node_modules.part/ &&
      npm ci --prefix node_modules.part --no-audit --no-fund --ignore-scripts --silent &&
      mv node_modules.part/node_modules node_modules) >/dev/null; then rm -rf "$clients/node_modules.part"; return; fi
  rm -rf "$clients/node_modules.part"
  say "npm could not install them: tests that run other makers' clients will be skipped"
}

bring_java() {
  if command -v java >/dev/null; then return; fi
  apt_install "a Kafka broker needs Java 17" openjdk-17-jre-headless || say "going on without: tests that need a broker will be skipped"
}

bring_servers() {
  local missing=()
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  [[ -x /usr/bin/redis-server ]] || missing+=(redis-server)
  if ((${#missing[@]} == 0)); then return; fi
  apt_install "tests of connectors start servers" "${missing[@]}" || say "going on without: tests that need ${missing[*]} will be skipped"
}

check_sdk
if [[ $with_oracles == true ]]; then bring_oracles; bring_clients; fi
if [[ $with_broker == true ]]; then bring_java; fi
if [[ $with_servers == true ]]; then bring_servers; fi
