# Written by Tugboot for the cluster lab. Changes made here are lost: change the Hardware objects.
# tugboot-mark: {"cluster":"lab","born":1764000000,"epoch":2}
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
$markText = 'tugboot lab born=1764000000 epoch=2 next-server=none'

$definitions = @(
    @{ Id = 60; Name = 'Vendor class identifier'; Type = 'String' },
    @{ Id = 121; Name = 'Classless static routes'; Type = 'BinaryData' }
)

$classes = @(
)

$scopes = @(
    @{
        Id = '192.168.2.0'
        Mask = '255.255.255.0'
        Policies = @(
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

