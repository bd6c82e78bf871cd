# shellcheck shell=bash
# Sourced by the lint scripts. lint_files PATTERN... prints the tree's files of these names, one a line, from
# the folder it is called in: what git tracks or would track, or, where there is no checkout, all but build/.
lint_files() {
    if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$PWD" ]; then
        # A file that was deleted but not yet committed is still listed.
        git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while IFS= read -r file; do
            [ -f "$file" ] && printf '%s\n' "$file"
        done
        return 0
    fi
    local names=() pattern
    for pattern in "$@"; do
        names+=(-o -name "$pattern")
    done
    find . -path ./build -prune -o -path ./.git -prune -o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | sort
}
