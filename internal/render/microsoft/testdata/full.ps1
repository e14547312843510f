# Written by Tugboot for the cluster lab. Changes made here are lost: change the Hardware objects.
# tugboot-mark: {"cluster":"lab","born":1764000000,"epoch":2,"next-server":"192.168.2.112","tftp-port":69,"http-port":7171,"script-path":"/ipxe/script/auto.ipxe","boot-files":"bios=undionly.kpxe uefi-arm64=snp-arm64.efi uefi-x86-64=ipxe.efi"}
#Requires -Version 5.1
#Requires -Modules DhcpServer
# Run it with -WhatIf first: that shows every change and changes nothing.

[CmdletBinding(SupportsShouldProcess)]
param(
    # The DHCP server; the one that this runs on by default.
    [string] $ComputerName = 'localhost'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$prefix = 'tugboot-lab-'
# What is ours begins with this in its description.
$owner = 'tugboot lab '
$born = 1764000000
$epoch = 2
$markName = 'tugboot-lab-mark'
$markText = 'tugboot lab born=1764000000 epoch=2 next-server=192.168.2.112'

$definitions = @(
    @{ Id = 60; Name = 'Vendor class identifier'; Type = 'String' },
    @{ Id = 121; Name = 'Classless static routes'; Type = 'BinaryData' }
)

$classes = @(
    @{ Key = 'tinkerbell'; Type = 'User'; Data = 'Tinkerbell'; Says = 'Tinkerbell'; Optional = $false },
    @{ Key = 'tinkerbell-rfc3004'; Type = 'User'; Data = ('{0}{1}' -f [char] 10, 'Tinkerbell'); Says = 'Tinkerbell, with its length before it'; Optional = $true },
    @{ Key = 'HTTPClient-00020'; Type = 'Vendor'; Data = 'HTTPClient:Arch:00020'; Says = 'HTTPClient:Arch:00020'; Optional = $false },
    @{ Key = 'HTTPClient-00016'; Type = 'Vendor'; Data = 'HTTPClient:Arch:00016'; Says = 'HTTPClient:Arch:00016'; Optional = $false },
    @{ Key = 'HTTPClient-00017'; Type = 'Vendor'; Data = 'HTTPClient:Arch:00017'; Says = 'HTTPClient:Arch:00017'; Optional = $false },
    @{ Key = 'HTTPClient-00019'; Type = 'Vendor'; Data = 'HTTPClient:Arch:00019'; Says = 'HTTPClient:Arch:00019'; Optional = $false },
    @{ Key = 'ipxe'; Type = 'User'; Data = 'iPXE'; Says = 'iPXE'; Optional = $false },
    @{ Key = 'ipxe-rfc3004'; Type = 'User'; Data = ('{0}{1}' -f [char] 4, 'iPXE'); Says = 'iPXE, with its length before it'; Optional = $true },
    @{ Key = 'PXEClient-00000'; Type = 'Vendor'; Data = 'PXEClient:Arch:00000'; Says = 'PXEClient:Arch:00000'; Optional = $false },
    @{ Key = 'PXEClient-00001'; Type = 'Vendor'; Data = 'PXEClient:Arch:00001'; Says = 'PXEClient:Arch:00001'; Optional = $false },
    @{ Key = 'PXEClient-00002'; Type = 'Vendor'; Data = 'PXEClient:Arch:00002'; Says = 'PXEClient:Arch:00002'; Optional = $false },
    @{ Key = 'PXEClient-00003'; Type = 'Vendor'; Data = 'PXEClient:Arch:00003'; Says = 'PXEClient:Arch:00003'; Optional = $false },
    @{ Key = 'PXEClient-00004'; Type = 'Vendor'; Data = 'PXEClient:Arch:00004'; Says = 'PXEClient:Arch:00004'; Optional = $false },
    @{ Key = 'PXEClient-00005'; Type = 'Vendor'; Data = 'PXEClient:Arch:00005'; Says = 'PXEClient:Arch:00005'; Optional = $false },
    @{ Key = 'PXEClient-00007'; Type = 'Vendor'; Data = 'PXEClient:Arch:00007'; Says = 'PXEClient:Arch:00007'; Optional = $false },
    @{ Key = 'PXEClient-00008'; Type = 'Vendor'; Data = 'PXEClient:Arch:00008'; Says = 'PXEClient:Arch:00008'; Optional = $false },
    @{ Key = 'PXEClient-00009'; Type = 'Vendor'; Data = 'PXEClient:Arch:00009'; Says = 'PXEClient:Arch:00009'; Optional = $false },
    @{ Key = 'PXEClient-00011'; Type = 'Vendor'; Data = 'PXEClient:Arch:00011'; Says = 'PXEClient:Arch:00011'; Optional = $false },
    @{ Key = 'PXEClient-00022'; Type = 'Vendor'; Data = 'PXEClient:Arch:00022'; Says = 'PXEClient:Arch:00022'; Optional = $false }
)

$scopes = @(
    @{
        Id = '192.168.2.0'
        Mask = '255.255.255.0'
        Policies = @(
            @{ Name = 'tugboot-lab-tinkerbell'; Says = 'tugboot lab boot rule'; User = @('tinkerbell', 'tinkerbell-rfc3004'); Vendor = @(); Options = @(@{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('http://192.168.2.112:7171/ipxe/script/auto.ipxe') }) },
            @{ Name = 'tugboot-lab-http-bios'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('HTTPClient-00020'); Options = @(@{ Id = 60; Value = @('HTTPClient') }, @{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('http://192.168.2.112:7171/ipxe/binary/undionly.kpxe') }) },
            @{ Name = 'tugboot-lab-http-uefi-x86-64'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('HTTPClient-00016', 'HTTPClient-00017'); Options = @(@{ Id = 60; Value = @('HTTPClient') }, @{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('http://192.168.2.112:7171/ipxe/binary/ipxe.efi') }) },
            @{ Name = 'tugboot-lab-http-uefi-arm64'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('HTTPClient-00019'); Options = @(@{ Id = 60; Value = @('HTTPClient') }, @{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('http://192.168.2.112:7171/ipxe/binary/snp-arm64.efi') }) },
            @{ Name = 'tugboot-lab-ipxe'; Says = 'tugboot lab boot rule'; User = @('ipxe', 'ipxe-rfc3004'); Vendor = @(); Options = @(@{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('http://192.168.2.112:7171/ipxe/script/auto.ipxe') }) },
            @{ Name = 'tugboot-lab-firmware-bios'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('PXEClient-00000', 'PXEClient-00001', 'PXEClient-00002', 'PXEClient-00003', 'PXEClient-00004', 'PXEClient-00005'); Options = @(@{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('undionly.kpxe') }) },
            @{ Name = 'tugboot-lab-firmware-uefi-x86-64'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('PXEClient-00007', 'PXEClient-00008', 'PXEClient-00009'); Options = @(@{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('ipxe.efi') }) },
            @{ Name = 'tugboot-lab-firmware-uefi-arm64'; Says = 'tugboot lab boot rule'; User = @(); Vendor = @('PXEClient-00011', 'PXEClient-00022'); Options = @(@{ Id = 66; Value = @('192.168.2.112') }, @{ Id = 67; Value = @('snp-arm64.efi') }) }
        )
        Reservations = @(
            @{ Address = '192.168.2.10'; Client = '52-54-00-00-00-00'; Name = 'eksa-system/node-a'; Source = 'eksa-system/node-a'; Options = @(@{ Id = 51; Value = @('86400') }) },
            @{ Address = '192.168.2.11'; Client = '52-54-00-00-00-01'; Name = 'node-b'; Source = 'eksa-system/node-b'; Options = @(@{ Id = 3; Value = @('192.168.2.1') }, @{ Id = 6; Value = @('192.168.2.2', '192.168.2.3') }, @{ Id = 12; Value = @('node-b') }, @{ Id = 15; Value = @('lab.example') }, @{ Id = 42; Value = @('192.168.2.4') }, @{ Id = 51; Value = @('86400') }, @{ Id = 121; Value = @('0x00', '0xC0', '0xA8', '0x02', '0x01', '0x0E', '0x0A', '0x14', '0xC0', '0xA8', '0x02', '0x09') }) }
        )
    },
    @{
        Id = '192.168.64.0'
        Mask = '255.255.192.0'
        Policies = @(
        )
        Reservations = @(
        )
    }
)

