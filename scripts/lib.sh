# Shared by the scripts of this folder: finding the tree, installing packages, building.
# Sourced, never run.

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

say() {
    printf '== %s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 2
}

# packages_missing KIND...: names of the packages of these kinds that are not installed
packages_missing() {
    for kind; do
        sed -n "s/^$kind //p" scripts/packages
    done | while read -r name; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
        [ "$status" = installed ] || printf '%s\n' "$name"
    done
}

# packages_ensure KIND...: install what is missing through apt, as root or by sudo;
# with PVW_NO_INSTALL=1 (--no-install) only list it
packages_ensure() {
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "${PVW_NO_INSTALL:-0}" = 1 ]; then
        die "missing packages: $missing"
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "missing packages, and neither root nor sudo: $missing"
        as_root=sudo
    fi
    say "installing $missing"
    # The lists of a fresh machine are empty, those of an old one may be stale: update first.
    $as_root apt-get update -q >&2
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends $missing >&2
}

# build_setup FOLDER [MESON-OPTION...]: configure once, again when the options changed
build_setup() {
    folder=$1
    shift
    options="CC=${CC:-cc} $*"
    if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/options" 2>/dev/null)" = "$options" ]; then
        return 0
    fi
    rm -rf "$folder"
    meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        die "meson setup failed"
    }
    printf '%s' "$options" >"$folder/options"
    rm -f "$folder.log"
}
