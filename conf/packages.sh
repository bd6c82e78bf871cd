# shellcheck shell=bash
# Sourced by tests/run and conf/try: install_packages [test] brings what is missing of conf/packages.txt.
# Asks dpkg first, so that with everything there neither a network nor a right is needed.
install_packages() {
    local list missing=() package word command as_root=()
    list=$(dirname "${BASH_SOURCE[0]}")/packages.txt
    command -v dpkg-query >/dev/null || {
        echo "this is no Debian: what is listed in conf/packages.txt must be there already" >&2
        return 0
    }
    while read -r package word command; do
        case $package in '' | '#'*) continue ;; esac
        [ -z "$word" ] || [ "$word" = "${1-}" ] || continue
        [ -z "$command" ] || ! command -v "$command" >/dev/null || continue
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing+=("$package") ;;
        esac
    done <"$list"
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            printf "packages are missing and there is no sudo; as root, run:\n  apt-get install %s\n" "${missing[*]}" >&2
            return 1
        }
        as_root=(sudo)
    fi
    echo "== install ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}
