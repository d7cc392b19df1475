complete -c kbuild-rs-swap -l only -d 'Only the programs of scripts/mod, scripts/basic or scripts/genksyms' -r -f -a "mod\t''
basic\t''
genksyms\t''"
complete -c kbuild-rs-swap -l from -d 'Take the programs from DIR, not from beside this one' -r -F
complete -c kbuild-rs-swap -l host -d 'The machine that builds with KDIR, if not this one' -r -f -a "aarch64\t''
armhf\t''
i686\t''
ppc64el\t''
riscv64\t''
s390x\t''
x86_64\t''"
complete -c kbuild-rs-swap -l kernel -d 'What the originals are said to be of, as in 6.1.176 or rhel/9.6' -r
complete -c kbuild-rs-swap -l state -d 'Keep the originals in DIR, not in /var/lib/kbuild-rs (root) or ${XDG_STATE_HOME:-~/.local/state}/kbuild-rs' -r -F
complete -c kbuild-rs-swap -l all -d 'All installed headers and all trees that were swapped, instead of one'
complete -c kbuild-rs-swap -l check -d 'Say whether ours does the same there, and change nothing'
complete -c kbuild-rs-swap -l undo -d 'Use the originals again'
complete -c kbuild-rs-swap -l status -d 'Say what is used there'
complete -c kbuild-rs-swap -l force -d 'Swap even if the original does something else'
complete -c kbuild-rs-swap -s h -l help -d 'Print help'
complete -c kbuild-rs-swap -s V -l version -d 'Print version'
