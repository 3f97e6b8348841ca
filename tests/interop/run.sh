#!/bin/sh
# Builds the Go client against Debian's containerd/ttrpc and lets it talk to pvw.
#   run.sh SOURCE BUILD_FOLDER PVW TREE.dtb
set -eu
source=$1 build=$2 pvw=$3 tree=$4

skip() {
    echo "skipped: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 77
}

command -v go >/dev/null || skip "no go"
[ -d /usr/share/gocode/src/github.com/containerd/ttrpc ] ||
    skip "no golang-github-containerd-ttrpc-dev"
export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS=-trimpath
export GOCACHE="$build/go-cache" CGO_ENABLED=0
go build -o "$build/interop" "$source"
exec "$build/interop" "$pvw" "$tree"
