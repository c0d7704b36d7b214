# Completion of quoit for bash 4.4 and newer. quoit __complete knows what there is.

_quoit()
{
        local candidate

        COMPREPLY=()
        while IFS= read -r candidate; do
                COMPREPLY+=("$candidate")
        done < <("${1/#\~/$HOME}" __complete --bash "$2" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}

# Where it knows nothing bash offers files. A blank is in what is whole.
complete -o bashdefault -o default -o nospace -o nosort -F _quoit quoit
