#!/bin/sh
# Unpacks Postfix, Exim, OpenSMTPD and pgbouncer from this Debian's or Ubuntu's packages into .real-servers, with whatever
# libraries they miss here. Nothing is installed or started. What is there already stays; `make clean` takes it away.
#
# REAL_SERVERS_RELEASE=bookworm-backports takes them from a release that apt knows besides its own.
set -eu
cd "$(dirname "$0")/.."
folder=.real-servers

say() { printf '%s\n' "$*" >&2; }

if [ -d $folder ]; then exit; fi
if ! command -v apt-get >/dev/null; then
    say "galaxy_mail: apt-get is not here, so only servers that are installed are tried."
    exit
fi
making=$(mktemp -d)
chmod 755 "$making"
trap 'rm -rf "$making"' EXIT
mkdir "$making/packages" "$making/unpacked"
for server in postfix exim4-daemon-light opensmtpd pgbouncer; do
    # One by one, since they exclude each other.
    apt-get ${REAL_SERVERS_RELEASE:+--target-release "$REAL_SERVERS_RELEASE"} --simulate --no-install-recommends install \
        $server >"$making/plan" || { say "galaxy_mail: apt does not know $server; apt-get update may help."; exit 1; }
    # "Inst postfix (3.7.11-0+deb12u1 …)", or with the version that would be replaced in brackets before it
    awk '/^Inst/ { for (i = 3; i < NF; i++) if ($i ~ /^\(/) { print $2 "=" substr($i, 2); break } }' "$making/plan" \
        >"$making/missing"
    (cd "$making/packages" && xargs -r apt-get -qq -o APT::Sandbox::User=root download <"$making/missing")
done
for package in "$making"/packages/*.deb; do dpkg-deb --extract "$package" "$making/unpacked"; done
mv "$making/unpacked" $folder
chmod 755 $folder
