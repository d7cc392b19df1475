complete -c sumversion -l compare -d 'Say whether two modules have the same srcversion' -r
complete -c sumversion -l check -d 'Say whether a module has the srcversion that its tree would give it' -r
complete -c sumversion -l loaded -d 'Say whether the loaded module of that name has the srcversion; without NAME, which it has' -r
complete -c sumversion -l sysfs -d 'Where sysfs is' -r -F
complete -c sumversion -l explain -d 'List what went into the sum, in order, and what didn\'t'
complete -c sumversion -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sumversion -s V -l version -d 'Print version'
