# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_file2alias_global_optspecs
    string join \n r/recursive= format= type= kernel= h/help V/version
end

function __fish_file2alias_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_file2alias_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_file2alias_using_subcommand
    set -l cmd (__fish_file2alias_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c file2alias -n "__fish_file2alias_needs_command" -s r -l recursive -d 'All objects and modules below a directory' -r -F
complete -c file2alias -n "__fish_file2alias_needs_command" -l format -d '`lines` as modpost writes them, `modules.alias` as depmod does, or `json` with all fields' -r -f -a "lines\t''
modules.alias\t''
json\t''"
complete -c file2alias -n "__fish_file2alias_needs_command" -l type -d 'Only device tables of these types, as in `pci,usb`' -r -f -a "acpi\t''
amba\t''
ap\t''
auxiliary\t''
bcma\t''
ccw\t''
cdx\t''
coreboot\t''
cpu\t''
css\t''
dfl\t''
dmi\t''
eisa\t''
fslmc\t''
hdaudio\t''
hid\t''
i2c\t''
i3c\t''
ieee1394\t''
input\t''
ipack\t''
isapnp\t''
ishtp\t''
mcb\t''
mdio\t''
mei\t''
mhi\t''
mhi_ep\t''
mipscdmm\t''
of\t''
parisc\t''
pci\t''
pcmcia\t''
platform\t''
pnp\t''
pnp_card\t''
rapidio\t''
rpmsg\t''
sdio\t''
sdw\t''
serio\t''
slim\t''
spi\t''
ssam\t''
ssb\t''
tbsvc\t''
tee\t''
typec\t''
ulpi\t''
usb\t''
vchiq\t''
vio\t''
virtio\t''
vmbus\t''
wmi\t''
x86cpu\t''
zorro\t''"
complete -c file2alias -n "__fish_file2alias_needs_command" -l kernel -d 'The kernel\'s version, instead of the one that a module names' -r
complete -c file2alias -n "__fish_file2alias_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c file2alias -n "__fish_file2alias_needs_command" -s V -l version -d 'Print version'
complete -c file2alias -n "__fish_file2alias_needs_command" -a "match" -d 'Modules that claim a device, those that fit closest first'
complete -c file2alias -n "__fish_file2alias_needs_command" -a "vfio" -d 'The driver that hands a device to a virtual machine best'
complete -c file2alias -n "__fish_file2alias_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c file2alias -n "__fish_file2alias_using_subcommand match" -l kernel -d 'The kernel\'s release, instead of the running one\'s' -r
complete -c file2alias -n "__fish_file2alias_using_subcommand match" -l root -d 'The directory in which lib/modules/RELEASE is' -r -F
complete -c file2alias -n "__fish_file2alias_using_subcommand match" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l kernel -d 'The kernel\'s release, instead of the running one\'s' -r
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l root -d 'The directory in which lib/modules/RELEASE is' -r -F
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l sysfs -d 'Where sysfs is' -r -F
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l aliases -d 'A modules.alias to look in instead' -r -F
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l all -d 'Every candidate, the best first'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l json -d 'One JSON object a line'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l driver -d 'Also the name of the driver, for driver_override; - if it isn\'t known'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l script -d 'Print the shell commands that hand the device over'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l bind -d 'Hand the devices over, as --script says, and show how'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l unbind -d 'Give the devices back to the drivers that they have by themselves'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l dry-run -d 'Only show what --bind or --unbind would do'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -l force -d 'Hand over what the machine needs, or only a part of an IOMMU group'
complete -c file2alias -n "__fish_file2alias_using_subcommand vfio" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c file2alias -n "__fish_file2alias_using_subcommand help; and not __fish_seen_subcommand_from match vfio help" -f -a "match" -d 'Modules that claim a device, those that fit closest first'
complete -c file2alias -n "__fish_file2alias_using_subcommand help; and not __fish_seen_subcommand_from match vfio help" -f -a "vfio" -d 'The driver that hands a device to a virtual machine best'
complete -c file2alias -n "__fish_file2alias_using_subcommand help; and not __fish_seen_subcommand_from match vfio help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
