#!/bin/sh
# Inside a build: Java, Python 3.11, tini, and the user that Spark's images run as everywhere (185, group 0).
# Any Debian or Ubuntu that has these packages will do as base.
set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -p /usr/share/man/man1
apt-get update -qq
apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless python3.11 tini >/dev/null
rm -rf /var/lib/apt/lists/*
ln -sf /usr/bin/python3.11 /usr/local/bin/python3
useradd --uid 185 --gid 0 --home-dir /opt/spark/work-dir --no-create-home --shell /usr/sbin/nologin spark
mkdir -p /opt/spark/work-dir
chown 185:0 /opt/spark/work-dir
chmod 775 /opt/spark/work-dir
