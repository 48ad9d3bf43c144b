#!/usr/bin/env bash
# ceph-sid.sh DIR: installs Debian sid's radosgw in DIR (500 MB, three minutes), as root. The tests then run against it with
#
#	PATH=DIR/bin:$PATH go test -tags e2e ./e2e -count=1 -run TestUploadAndDelete
#
# DIR/bin has a command for each tool of Ceph. It runs the tool in a chroot with the host's network and /tmp. The mounts
# end with the command, so DIR can be removed like any other folder.
set -euo pipefail
mkdir -p "$1/bin"
dir=$(cd "$1" && pwd)
root=$dir/root
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }

mirror=$(grep -rhoP '^(URIs:|deb) +\K\S+/debian/?(?=\s|$)' /etc/apt/sources.list* | head -n 1)
debootstrap --variant=minbase sid "$root" "$mirror"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # start no services
chmod +x "$root/usr/sbin/policy-rc.d"

cat >"$dir/bin/in-sid" <<EOF
#!/bin/sh
exec unshare --mount sh -c 'for d in dev proc sys tmp; do mount --rbind /\$d "\$0/\$d" || exit; done
	exec chroot "\$0" "\$@"' '$root' "\$@"
EOF
chmod +x "$dir/bin/in-sid"
DEBIAN_FRONTEND=noninteractive "$dir/bin/in-sid" /usr/bin/apt-get install -y --no-install-recommends \
	radosgw ceph-mon ceph-osd ceph-common
for tool in radosgw radosgw-admin ceph ceph-mon ceph-osd monmaptool; do
	printf '#!/bin/sh\nexec "%s" /usr/bin/%s "$@"\n' "$dir/bin/in-sid" "$tool" >"$dir/bin/$tool"
	chmod +x "$dir/bin/$tool"
done
"$dir/bin/radosgw" --version
