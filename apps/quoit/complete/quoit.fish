# Completion of quoit for fish. quoit __complete knows what there is.

function __quoit_complete
    set -l words (commandline -opc)
    set -l found (command $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete -c quoit -f -a '(__quoit_complete)'
