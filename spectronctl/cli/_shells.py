"""
The parser of a command line in the languages of Unix shells; `_completion` puts the tables in.

The four are one program (see `_completion`); what differs is what the shell hands over and how it wants its result.
"""

from __future__ import annotations

# Only what bash 3 knows, but for `compopt`, whose absence is seen to. Readline puts a word in the place of what follows
# the last break character: where = is one, the option before it must not be offered again, else it must.
BASH = r"""# Completion of spectronctl for bash; generated from the command tree, do not edit.

_spectronctl_step() {
    case "$at $1" in
        {{steps}}
        *) return 1 ;;
    esac
}

_spectronctl_value() {
    case "$at $1" in
        {{values}}
        *'>' | *'<') fill=(_spectronctl_files) ;;
        *) return 1 ;;
    esac
}

_spectronctl_argument() {
    case "$at $count" in
        {{arguments}}
        *) return 1 ;;
    esac
}

_spectronctl_commands() {
    case $at in
        {{commands}}
    esac
}

_spectronctl_options() {
    case $at in
        {{options}}
    esac
    {{everywhere}}
}

_spectronctl_offer() {
    local each
    for each in "$@"; do
        [[ -n $each && $each == "$cur"* ]] && COMPREPLY+=("$prefix$each")
    done
}

_spectronctl_ask() {
    local each
    while IFS= read -r each; do
        _spectronctl_offer "$each"
    done <<< "$(printf '%s' "${COMP_LINE:0:COMP_POINT}" | command spectronctl __complete "$1" - 2> /dev/null)"
}

_spectronctl_list() {
    [[ $cur == *,* ]] && prefix+=${cur%,*}, cur=${cur##*,}
    _spectronctl_offer "$@"
}

_spectronctl_files() {
    local each
    # Readline completes files best, but only words of their own, and not at the request of a bash before 4.
    [[ -z $prefix ]] && compopt -o default 2> /dev/null && return
    while IFS= read -r each; do
        _spectronctl_offer "$each"
    done <<< "$(compgen -f -- "$cur")"
}

_spectronctl_free() {
    :
}

# Readline splits words at = and : too; the shell does not, so they are put together again.
_spectronctl_words() {
    local i line=${COMP_LINE:0:COMP_POINT} word
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=${line#"${line%%[![:blank:]]*}"}
        if ((last < 0)) || [[ $line == [[:blank:]]* || ${words[last]} == *[\<\>] ]]; then
            words[++last]=$word
            line=${line#"${line%%[![:blank:]]*}"}
        else
            words[last]+=$word
        fi
        line=${line#"$word"}
    done
}

_spectronctl() {
    local at= count=0 cur fill i last=-1 option= prefix= rest= word words
    COMPREPLY=()
    words=()
    _spectronctl_words
    for ((i = 1; i < last; i++)); do
        word=${words[i]}
        if [[ -n $option ]]; then
            option=
        elif [[ -z $rest && $word == -- ]]; then
            rest=1
        elif [[ -z $rest && $word == -?* || $word == *[\<\>] ]]; then
            _spectronctl_value "$word" && option=$word
        elif ((count)) || ! _spectronctl_step "$word"; then
            ((count++))
        fi
    done
    cur=${words[last]#[\"\']}
    if [[ -n $option ]]; then
        "${fill[@]}"
    elif [[ -z $rest && $cur == --*=* ]] && _spectronctl_value "${cur%%=*}"; then
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=${cur%%=*}=
        cur=${cur#*=}
        "${fill[@]}"
    elif [[ -z $rest && $cur == -* ]]; then
        _spectronctl_options
    else
        ((count)) || _spectronctl_commands
        _spectronctl_argument && "${fill[@]}"
    fi
}

complete -F _spectronctl spectronctl
"""

# Found in $fpath, the file is run as the function itself at the first TAB, and has to complete that one too. Its exit
# status says whether anything matched: where nothing did, zsh goes on with its other completers.
ZSH = r"""#compdef spectronctl
# Completion of spectronctl for zsh; generated from the command tree, do not edit.

_spectronctl_step() {
    case "$at $1" in
        {{steps}}
        *) return 1 ;;
    esac
}

_spectronctl_value() {
    case "$at $1" in
        {{values}}
        *) return 1 ;;
    esac
}

_spectronctl_argument() {
    case "$at $count" in
        {{arguments}}
        *) return 1 ;;
    esac
}

_spectronctl_commands() {
    local -a commands
    case $at in
        {{commands}}
        *) return 1 ;;
    esac
    _describe -t commands command commands
}

_spectronctl_options() {
    local -a options
    case $at in
        {{options}}
    esac
    options+=({{everywhere}})
    _describe -o -t options option options
}

_spectronctl_offer() {
    compadd -- "$@"
}

_spectronctl_ask() {
    compadd -- ${(f)"$(print -r -- "${words[1,CURRENT-1]}" | command spectronctl __complete $1 - 2> /dev/null)"}
}

_spectronctl_list() {
    compset -P '*,'
    compadd -S '' -- "$@"
}

_spectronctl_files() {
    _files
}

_spectronctl_free() {
    _message -r "$1"
}

_spectronctl() {
    local at='' option='' rest='' word
    local -a fill
    integer before=$compstate[nmatches] count=0 i
    for ((i = 2; i < CURRENT; i++)); do
        word=${(Q)words[i]}
        if [[ -n $option ]]; then
            option=''
        elif [[ -z $rest && $word == -- ]]; then
            rest=1
        elif [[ -z $rest && $word == -?* ]]; then
            _spectronctl_value "$word" && option=$word
        elif ((count)) || ! _spectronctl_step "$word"; then
            ((count++))
        fi
    done
    if [[ -n $option ]]; then
        "${fill[@]}"
    elif [[ -z $rest && $PREFIX == --*=* ]] && _spectronctl_value "${PREFIX%%=*}"; then
        compset -P "${PREFIX%%=*}="
        "${fill[@]}"
    elif [[ -z $rest && $PREFIX == -* ]]; then
        _spectronctl_options
    else
        ((count)) || _spectronctl_commands
        _spectronctl_argument && "${fill[@]}"
    fi
    ((compstate[nmatches] > before))
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _spectronctl "$@"
else
    compdef _spectronctl spectronctl
fi
"""

FISH = r"""# Completion of spectronctl for fish; generated from the command tree, do not edit.

function __spectronctl_step
    switch "$argv"
        {{steps}}
    end
end

function __spectronctl_value
    switch "$argv"
        {{values}}
    end
end

function __spectronctl_argument
    switch "$argv"
        {{arguments}}
    end
end

function __spectronctl_commands
    switch "$argv"
        {{commands}}
    end
end

function __spectronctl_options
    switch "$argv"
        {{options}}
    end
    {{everywhere}}
end

function __spectronctl_offer
    printf '%s\n' $argv
end

function __spectronctl_ask
    command -q spectronctl; and commandline -cp | command spectronctl __complete $argv - 2>/dev/null
end

function __spectronctl_list
    set -l before (commandline -ct | string replace -r -- '^--[^=]*=' '' | string replace -r -- '[^,]*$' '')
    printf '%s\n' "$before"$argv
end

function __spectronctl_files
    __fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct))
end

function __spectronctl_free
end

function __spectronctl
    set -l at ''
    set -l count 0
    set -l fill
    set -l option ''
    set -l rest ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$option"
            set option ''
        else if test -z "$rest"; and test "$word" = --
            set rest yes
        else if test -z "$rest"; and string match -qr -- '^-.' $word
            set fill (__spectronctl_value "$at $word")
            set -q fill[1]; and set option $word
        else
            set -l next
            test $count -eq 0; and set next (__spectronctl_step "$at $word")
            if set -q next[1]
                set at $next
            else
                set count (math $count + 1)
            end
        end
    end
    set -l cur (commandline -ct)
    if test -n "$option"
        $fill
        return
    end
    if test -z "$rest"; and set -l name (string match -r -- '^--[^=]*(?==)' $cur)
        set fill (__spectronctl_value "$at $name")
        set -q fill[1]; and string replace -r -- '^' "$name=" ($fill)
    else if test -z "$rest"; and string match -q -- '-*' $cur
        __spectronctl_options $at
    else
        test $count -eq 0; and __spectronctl_commands $at
        set fill (__spectronctl_argument "$at $count")
        set -q fill[1]; and $fill
    end
end

complete -c spectronctl -f -a '(__spectronctl)'
"""
