#!/usr/bin/env bash
# Fetches uPlot from npm into this folder; the version and hashes are those of
# SHA256SUMS, which a test checks. Run it to update, and put the new sums there.
set -euo pipefail
cd "$(dirname "$0")"
version=${1:-1.6.32}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && npm pack --silent "uplot@$version" >/dev/null && tar xzf uplot-*.tgz)
cp "$tmp/package/dist/uPlot.iife.min.js" "$tmp/package/dist/uPlot.min.css" "$tmp/package/LICENSE" .
sha256sum uPlot.iife.min.js uPlot.min.css LICENSE
