complete -c modpost -s i -d 'Read exports from FILE, a Module.symvers' -r -F
complete -c modpost -s T -d 'Read the names of objects from FILE, or from standard input for -' -r -F
complete -c modpost -s o -d 'Write exports to FILE' -r -F
complete -c modpost -s u -d 'Keep the exports that FILE lists' -r -F
complete -c modpost -s d -d 'Write the namespaces that modules should import to FILE' -r -F
complete -c modpost -s e -d 'The modules are not of the kernel\'s tree'
complete -c modpost -s m -d 'Record symbol versions'
complete -c modpost -s n -d 'Pass over objects that are missing'
complete -c modpost -s a -d 'Record the sum of their sources for all modules'
complete -c modpost -s M -d 'The kernel has modules'
complete -c modpost -s t -d 'Leave out exports that no module uses'
complete -c modpost -s W -d 'Warn about more references between sections'
complete -c modpost -s w -d 'Warn about undefined symbols instead of failing'
complete -c modpost -s E -d 'Fail for references between sections instead of warning'
complete -c modpost -s N -d 'Warn about namespaces that are not imported instead of failing'
complete -c modpost -s x -d 'Record symbol versions for names of any length'
complete -c modpost -s b -d 'Record symbol versions for short names'
complete -c modpost -l help -d 'Print this help'
complete -c modpost -l version -d 'Print the version'
complete -c modpost -l dialects -d 'Print what differs between the kernels served'
