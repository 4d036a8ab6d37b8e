#!/usr/bin/env bash
# Brings the native parts that a build needs and no NuGet feed is sure to have. See engine/docs/packages.md.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: deploy/setup.sh [--kafka] [--oracles] [--refresh] [--help]

Prepares a checkout for `dotnet build`: checks the .NET SDK, and puts ONNX Runtime into .native/
(from npm, or not at all where the NuGet feed has the official package). Quiet when nothing is missing.

  --kafka     also librdkafka, needed by the Kafka connector only; built from source, about a minute
              the first time, cached in ${XDG_CACHE_HOME:-~/.cache}/streamengine/
  --oracles   also what tests compare with: Debian's python3-avro, python3-sklearn and python3-onnx
              (some 400 MB; only where apt-get is there: without them these tests are skipped)
  --refresh   ask the NuGet feed again which official packages it has, instead of the remembered answer
  --help      this text

Environment:
  NativeRoot                    where to put things instead of <checkout>/.native/
  UseOfficialOnnxRuntime=true   take Microsoft.ML.OnnxRuntime from the feed without asking (false: never)
  UseOfficialLibrdkafka=true    take librdkafka.redist from the feed without asking (false: never)
EOF
}

say()  { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

with_kafka=false
with_oracles=false
refresh=false
for argument in "$@"; do
  case $argument in
    --kafka) with_kafka=true ;;
    --oracles) with_oracles=true ;;
    --refresh) refresh=true ;;
    --help|-h) usage; exit 0 ;;
    *) usage >&2; fail "unknown option '$argument'" ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
native=${NativeRoot:-$root/.native}
native=${native%/}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/streamengine

version_in_props() { sed -n "s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" "$root/Directory.Packages.props"; }
librdkafka_version=$(version_in_props librdkafka.redist)
onnxruntime_version=$(version_in_props Microsoft.ML.OnnxRuntime)
binding=com.github.asus4.onnxruntime
binding_version=$(sed -n "s/.*\"$binding\": \"\([^\"]*\)\".*/\1/p" "$root/deploy/native/package.json")
# The npm package whose deps/librdkafka holds the C sources of librdkafka_version, and its digest.
sources=@confluentinc/kafka-javascript@1.10.1
sources_integrity=sha512-KVePUBn21EqCVP9mfxzEuM3SYJHHEF7X+iiC2e43QQgDSyEaksInmCGooT3w5q+cNAdkSCrK71j0ICfqoSqZLw==

export npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false npm_config_loglevel=error

work=
trap 'if [[ -n $work ]]; then rm -rf "$work"; fi' EXIT
fresh_work() { if [[ -n $work ]]; then rm -rf "$work"; fi; work=$(mktemp -d); }

check_tools() {
  command -v dotnet >/dev/null ||
    fail "the .NET SDK 10 is missing: install dotnet-sdk-10.0 (your distribution's package or Microsoft's installer)"
  # Not grep -q: it leaves at the first hit, and the broken pipe would count as failure.
  dotnet --list-sdks | grep '^10\.' >/dev/null ||
    fail "found no .NET SDK 10, only: $(dotnet --list-sdks | cut -d' ' -f1 | tr '\n' ' '); install dotnet-sdk-10.0"
}

check_npm() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    fail "Node.js with npm is missing (18 or newer): install nodejs and npm, they fetch $1"
}

# Asks the feed, by a restore, for one official package; true, false, or the empty string where the feed did not answer.
feed_has() {
  fresh_work
  cat >"$work/probe.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="$1" Version="[$2]" /></ItemGroup>
</Project>
EOF
  # The checkout's own nuget.config, where there is one, names the feeds that its build will ask.
  local config
  for config in "$root"/[Nn]u[Gg]et.[Cc]onfig; do
    if [[ -f $config ]]; then cp "$config" "$work/"; fi
  done
  if dotnet restore "$work/probe.csproj" --verbosity quiet >"$work/log" 2>&1; then echo true
  elif grep -qE 'NU1101|NU1102' "$work/log" && ! grep -q NU1301 "$work/log"; then echo false
  fi
}

# Writes feed.props, which Directory.Build.props imports, so that setup and build agree on where a part comes from.
look_at_feed() {
  local props=$native/feed.props wanted="$onnxruntime_version $librdkafka_version"
  if [[ $refresh == false && -f $props ]] && grep -q "asked for $wanted" "$props"; then return; fi
  local onnx kafka
  onnx=$(feed_has Microsoft.ML.OnnxRuntime "$onnxruntime_version")
  kafka=$(feed_has librdkafka.redist "$librdkafka_version")
  if [[ -z $onnx || -z $kafka ]]; then
    say "the NuGet feed did not answer; going on as if it had no official native packages"
    return
  fi
  mkdir -p "$native"
  cat >"$native/feed.props.new" <<EOF
<!-- Written by deploy/setup.sh: which official packages the NuGet feed has (asked for $wanted).
     A property on the command line or an environment variable of the same name wins. -->
<Project>
  <PropertyGroup>
    <UseOfficialOnnxRuntime Condition="'\$(UseOfficialOnnxRuntime)' == ''">$onnx</UseOfficialOnnxRuntime>
    <UseOfficialLibrdkafka Condition="'\$(UseOfficialLibrdkafka)' == ''">$kafka</UseOfficialLibrdkafka>
  </PropertyGroup>
</Project>
EOF
  mv "$native/feed.props.new" "$props"
}

# use_official PROPERTY: the environment's word, else feed.props', else false.
use_official() {
  local chosen=${!1:-}
  if [[ -z $chosen && -f $native/feed.props ]]; then
    chosen=$(sed -n "s:.*>\(.*\)</$1>.*:\1:p" "$native/feed.props")
  fi
  [[ $chosen == true ]]
}

bring_onnxruntime() {
  local target=$native/onnxruntime/$binding_version
  if [[ -f $target/libonnxruntime.so && -d $target/Runtime ]]; then return; fi
  [[ $(uname -sm) == 'Linux x86_64' ]] ||
    fail "$binding has ONNX Runtime for Linux x86_64; on $(uname -sm) use a feed that has Microsoft.ML.OnnxRuntime and set UseOfficialOnnxRuntime=true"
  check_npm "ONNX Runtime"
  say "fetching ONNX Runtime ($binding $binding_version) from npm"
  fresh_work
  cp "$root"/deploy/native/package.json "$root"/deploy/native/package-lock.json "$work/"
  (cd "$work" && npm ci --ignore-scripts >/dev/null) ||
    fail "npm ci failed in a copy of deploy/native (see above)"
  local package=$work/node_modules/$binding
  mkdir -p "$native/onnxruntime"
  local staged; staged=$(mktemp -d "$native/onnxruntime/.staged-XXXXXX")
  (cd "$package" && find Runtime -name '*.cs' -exec cp --parents -t "$staged" {} +)
  cp "$package/Plugins/Linux/x64/libonnxruntime.so" "$package/LICENSE" "$package/ThirdPartyNotices.txt" "$staged/"
  publish "$staged" "$target"
}

# publish STAGED TARGET: moves a finished folder into place in one step.
publish() {
  chmod 755 "$1"
  rm -rf "$2"
  mv -T "$1" "$2"
}

has_header() { printf '#include <%s>\n' "$1" | gcc -E - >/dev/null 2>&1; }

# apt_install PURPOSE PACKAGE...: as root, or by sudo.
apt_install() {
  local purpose=$1; shift
  command -v apt-get >/dev/null || fail "$purpose; missing here (Debian's names): $*"
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || fail "neither root nor sudo: ask an administrator to install $*"
    as_root=(sudo)
  fi
  say "installing $*"
  { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null ||
    fail "apt-get could not install $*"
}

bring_compiler() {
  local missing=()
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  command -v make >/dev/null || missing+=(make)
  has_header openssl/ssl.h || missing+=(libssl-dev)
  has_header zlib.h || missing+=(zlib1g-dev)
  has_header zstd.h || missing+=(libzstd-dev)
  if ((${#missing[@]} == 0)); then return; fi
  apt_install "building librdkafka needs gcc, make and the headers of OpenSSL, zlib and zstd" "${missing[@]}"
}

# Other implementations that tests compare with, for Debian's own python3. Nothing that is built or run needs them.
bring_oracles() {
  local missing=() module
  for module in avro sklearn onnx; do
    /usr/bin/python3 -c "import $module" 2>/dev/null || missing+=("python3-$module")
  done
  if ((${#missing[@]} == 0)); then return; fi
  if ! command -v apt-get >/dev/null; then
    say "no apt-get: tests that need ${missing[*]} will be skipped"
    return
  fi
  (apt_install "tests compare with other implementations" python3 "${missing[@]}") ||
    say "going on without: tests that need ${missing[*]} will be skipped"
}

# True where the file exists and every library it needs is here.
loads() { [[ -f $1 ]] && ! ldd "$1" 2>&1 | grep 'not found' >/dev/null; }

bring_librdkafka() {
  local target=$native/librdkafka/$librdkafka_version
  if loads "$target/librdkafka.so"; then return; fi
  local cached=$cache/librdkafka-$librdkafka_version-$(uname -m)
  if ! loads "$cached/librdkafka.so"; then build_librdkafka "$cached"; fi
  mkdir -p "$native/librdkafka"
  local staged; staged=$(mktemp -d "$native/librdkafka/.staged-XXXXXX")
  cp "$cached"/* "$staged/"
  publish "$staged" "$target"
}

build_librdkafka() {
  check_npm "librdkafka's sources"
  bring_compiler
  say "building librdkafka $librdkafka_version from the sources in $sources (about a minute)"
  fresh_work
  (cd "$work" && npm pack --ignore-scripts "$sources" >/dev/null) || fail "npm pack $sources failed (see above)"
  local archive; archive=$(echo "$work"/*.tgz)
  [[ sha512-$(sha512_of "$archive") == "$sources_integrity" ]] || fail "$sources is not the package this script was written for: its digest differs"
  tar -xzf "$archive" -C "$work" package/deps/librdkafka
  local source=$work/package/deps/librdkafka
  # No Kerberos (its library is seldom there); pthreads, as older libcs lack C11's. Only the C part is built: CXX=gcc spares a C++ compiler.
  (cd "$source" && CXX=gcc ./configure --disable-gssapi --disable-c11threads --enable-strip &&
    grep -q 'WITH_SSL 1' config.h && grep -q 'WITH_ZLIB 1' config.h && grep -q 'WITH_ZSTD 1' config.h &&
    make -j "$(nproc)" -C src) >"$work/build.log" 2>&1 ||
    { tail -30 "$work/build.log" >&2; fail "building librdkafka failed (its last lines are above)"; }
  mkdir -p "$cache"
  local staged; staged=$(mktemp -d "$cache/.staged-XXXXXX")
  cp "$source/src/librdkafka.so.1" "$staged/librdkafka.so"
  cp "$source/LICENSES.txt" "$staged/"
  loads "$staged/librdkafka.so" || fail "the built librdkafka.so misses libraries: $(ldd "$staged/librdkafka.so" | grep 'not found')"
  publish "$staged" "$1"
}

sha512_of() { node -e 'const c=require("crypto"),f=require("fs");console.log(c.createHash("sha512").update(f.readFileSync(process.argv[1])).digest("base64"))' "$1"; }

check_tools
look_at_feed
use_official UseOfficialOnnxRuntime || bring_onnxruntime
if [[ $with_kafka == true ]] && ! use_official UseOfficialLibrdkafka; then bring_librdkafka; fi
if [[ $with_oracles == true ]]; then bring_oracles; fi
