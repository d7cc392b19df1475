complete -c mk_elfconfig -s h -l help -d 'Print help'
complete -c mk_elfconfig -s V -l version -d 'Print version'
