complete -c genksyms -s r -l reference -d 'Read reference symbols from a file' -r -F
complete -c genksyms -s T -l dump-types -d 'Dump expanded types into file' -r -F
complete -c genksyms -s d -l debug -d 'Increment the debug level (repeatable)'
complete -c genksyms -s w -l warnings -d 'Enable warnings'
complete -c genksyms -s q -l quiet -d 'Disable warnings (default)'
complete -c genksyms -s D -l dump -d 'Dump expanded symbol defs (for debugging only)'
complete -c genksyms -s p -l preserve -d 'Preserve reference modversions or fail'
complete -c genksyms -s V -l version -d 'Print the release version'
complete -c genksyms -s h -l help -d 'Print this message'
