#!/bin/sh
# docs/man/generate.sh - man pages from what the program itself says: generate.sh LABYRINTH FOLDER
#
# The pages are kept in the tree, so that a build needs nothing but a compiler; a test compares them with what this
# script makes. After changing a command's help: docs/man/generate.sh ./labyrinth docs/man
set -eu
labyrinth=${1:?usage: generate.sh LABYRINTH FOLDER}
folder=${2:?usage: generate.sh LABYRINTH FOLDER}
ARGP_HELP_FMT='rmargin=2000,opt-doc-col=45' # one line per option
export ARGP_HELP_FMT

# Text for roff: backslashes and hyphens are themselves, no line is a request.
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

see_also() {
    echo .SH SEE ALSO
    echo "$pages" | sed -e "/^$1\$/d" -e 's/-/\\-/g' -e 's/.*/.BR & (1)/' -e '$!s/$/,/'
}

command_page() {
    name=$1 summary=$2
    echo ".\\\" Made by docs/man/generate.sh from labyrinth $name --help."
    printf '.TH "LABYRINTH\\-%s" 1 "" "labyrinth" "User Commands"\n' "$(echo "$name" | tr a-z A-Z)"
    printf '.SH NAME\nlabyrinth\\-%s \\- ' "$name"
    echo "$summary" | roff
    "$labyrinth" "$name" --help | roff | awk '
        NR == 1 { sub(/^Usage: /, ""); sub(/ *$/, ""); print ".SH SYNOPSIS\n.B " $0; next }
        NR == 2 { print ".SH DESCRIPTION"; print; next }
        /^ +\\-/ {
            if (!options++) print ".SH OPTIONS"
            sub(/^ +/, "")
            at = match($0, /  +/)
            print ".TP\n.B " substr($0, 1, at - 1) "\n" substr($0, at + RLENGTH)
            next
        }
        /^Mandatory or optional/ { next }
        /^$/ { next }
        { if (!notes++) print ".SH NOTES"; else print ".PP"; print }'
    see_also "labyrinth-$name"
}

main_page() {
    echo '.\" Made by docs/man/generate.sh from labyrinth --help.'
    echo '.TH "LABYRINTH" 1 "" "labyrinth" "User Commands"'
    printf '.SH NAME\nlabyrinth \\- simulate what it costs to be handed an exclusive page of memory\n'
    printf '.SH SYNOPSIS\n.B labyrinth\n.I COMMAND\n[OPTION...] [ARGUMENT...]\n.SH DESCRIPTION\n'
    "$labyrinth" --help | roff | awk '
        NR == 1 || /^$/ { next }
        /^  / {
            if (!commands++) print ".SH COMMANDS"
            sub(/^ +/, "")
            at = match($0, /  +/)
            print ".TP\n.B " substr($0, 1, at - 1) "\n" substr($0, at + RLENGTH)
            next
        }
        commands && !notes++ { print ".SH NOTES" }
        { print; print ".br" }'
    cat <<'END'
.SH ENVIRONMENT
.TP
.B LABYRINTH_CONFIGS
Folder that is searched for machines, protocols and experiments first.
.TP
.B LABYRINTH_PLOTS
Folder with the style of plots, style.gp.
.TP
.B LABYRINTH_QUEUE, LABYRINTH_FIBER, LABYRINTH_LOOKAHEAD
heap or wheel, asm or ucontext, on or off: host settings, results are the same.
.TP
.B LABYRINTH_ABORT
If set, an internal error leaves a core file.
.TP
.B NO_COLOR
If set, tables have no colours.
END
    see_also labyrinth
}

list=$("$labyrinth" --help | sed -n 's/^  \([a-z]*\) .*   *\([A-Z][^ ]* .*\)$/\1|\2/p')
pages=$(echo labyrinth; echo "$list" | sed 's/|.*//; s/^/labyrinth-/')
main_page > "$folder/labyrinth.1"
echo "$list" | while IFS='|' read -r name summary; do
    command_page "$name" "$summary" > "$folder/labyrinth-$name.1"
done
