# What follows is the same in every script of this kind: it reads, checks, and changes only what differs.

$caller = $PSCmdlet
# The module's cmdlets inherit neither this script's error preference nor its -WhatIf: each change is asked for here.
$there = @{ ComputerName = $ComputerName; ErrorAction = 'Stop' }
$classNames = @{}

function Invoke-Change([string] $On, [string] $What, [scriptblock] $Do) {
    if ($caller.ShouldProcess($On, $What)) {
        & $Do
    }
}

function Test-Ours([object] $Object) {
    return ([string] $Object.Description).StartsWith($owner, [StringComparison]::Ordinal)
}

function Get-PlainHex([string] $Text) {
    return $Text.Replace('-', '').Replace(':', '').Replace(' ', '').ToUpperInvariant()
}

function Test-SameValue([object[]] $Left, [object[]] $Right) {
    return (@($Left) -join ' ') -ceq (@($Right) -join ' ')
}

function Test-SameSet([object[]] $Left, [object[]] $Right) {
    return (@($Left | ForEach-Object { Get-PlainHex $_ } | Sort-Object) -join ' ') -ceq (@($Right | ForEach-Object { Get-PlainHex $_ } | Sort-Object) -join ' ')
}

function Get-MarkProblem([object] $Scope, [object] $Policy) {
    $text = [string] $Policy.Description
    if (-not ($text -cmatch ' born=([0-9]{1,18}) epoch=([0-9]{1,18}) ')) {
        return 'scope {0}: policy {1}: its description is not a mark of Tugboot: delete that policy' -f $Scope.Id, $Policy.Name
    }
    $hereBorn = [long] $Matches[1]
    $hereEpoch = [long] $Matches[2]
    if ($hereBorn -gt $born -or ($hereBorn -eq $born -and $hereEpoch -gt $epoch)) {
        return 'scope {0}: a higher epoch stands there ({1}), and that of this script is {2}: run the script of the cluster that took over' -f $Scope.Id, $hereEpoch, $epoch
    }
}

function Get-ScopeProblem([object] $Scope) {
    $found = @(Get-DhcpServerv4Scope @there | Where-Object { [string] $_.ScopeId -eq $Scope.Id })
    if ($found.Count -eq 0) {
        return 'scope {0}: there is none on this server: create it, or leave this subnet out' -f $Scope.Id
    }
    if ([string] $found[0].SubnetMask -ne $Scope.Mask) {
        'scope {0}: its subnet mask is {1}, and the rendered subnet has {2}: make the two agree' -f $Scope.Id, $found[0].SubnetMask, $Scope.Mask
    }
    $names = @($Scope.Policies | ForEach-Object { $_.Name }) + $markName
    foreach ($policy in @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { $names -contains $_.Name })) {
        if (-not (Test-Ours $policy)) {
            'scope {0}: policy {1}: is not of this cluster: rename or delete it' -f $Scope.Id, $policy.Name
        } elseif ($policy.Name -eq $markName) {
            Get-MarkProblem $Scope $policy
        }
    }
    foreach ($reserved in @(Get-DhcpServerv4Reservation -ScopeId $Scope.Id @there | Where-Object { -not (Test-Ours $_) })) {
        $address = [string] $reserved.IPAddress
        $client = Get-PlainHex $reserved.ClientId
        $ours = @($Scope.Reservations | Where-Object { ($_.Address -eq $address) -ne ((Get-PlainHex $_.Client) -eq $client) })
        if ($ours.Count -gt 0) {
            'scope {0}: {1} is reserved for {2}, not by Tugboot for this cluster, and {3} wants the address or the client: delete that reservation, or change the Hardware' -f $Scope.Id, $address, $reserved.ClientId, $ours[0].Source
        }
    }
}

function Set-Definition([object] $Definition) {
    $found = @(Get-DhcpServerv4OptionDefinition @there | Where-Object { $_.OptionId -eq $Definition.Id -and -not $_.VendorClass })
    if ($found.Count -eq 0) {
        Invoke-Change ('option {0}' -f $Definition.Id) 'define' {
            Add-DhcpServerv4OptionDefinition -OptionId $Definition.Id -Name $Definition.Name -Type $Definition.Type -Confirm:$false @there
        }
    }
}

function Set-Class([object] $Class) {
    $found = @(Get-DhcpServerv4Class -Type $Class.Type @there | Where-Object { $_.AsciiData -ceq $Class.Data })
    if ($found.Count -gt 0) {
        $classNames[$Class.Key] = $found[0].Name
        return
    }
    $classNames[$Class.Key] = $prefix + $Class.Key
    try {
        Invoke-Change ('{0} class {1}' -f $Class.Type, ($prefix + $Class.Key)) 'add' {
            Add-DhcpServerv4Class -Name ($prefix + $Class.Key) -Type $Class.Type -Data $Class.Data -Description $Class.Says -Confirm:$false @there
        }
    } catch {
        if (-not $Class.Optional) {
            throw
        }
        $classNames.Remove($Class.Key)
        Write-Warning ('{0} class {1}: {2}: clients that write option 77 as RFC 3004 asks are not told apart' -f $Class.Type, ($prefix + $Class.Key), $_)
    }
}

function Set-Option([string] $On, [hashtable] $Place, [object[]] $Wanted, [object[]] $Found, [object[]] $Managed) {
    foreach ($option in $Wanted) {
        $same = @($Found | Where-Object { $_.OptionId -eq $option.Id -and (Test-SameValue $_.Value $option.Value) })
        if ($same.Count -eq 0) {
            Invoke-Change $On ('set option {0} to {1}' -f $option.Id, ($option.Value -join ' ')) {
                Set-DhcpServerv4OptionValue -OptionId $option.Id -Value $option.Value -Force -Confirm:$false @Place @there
            }
        }
    }
    $keep = @($Wanted | ForEach-Object { $_.Id })
    foreach ($option in @($Found | Where-Object { $Managed -contains $_.OptionId -and $keep -notcontains $_.OptionId })) {
        Invoke-Change $On ('remove option {0}' -f $option.OptionId) {
            Remove-DhcpServerv4OptionValue -OptionId $option.OptionId -Confirm:$false @Place @there
        }
    }
}

function Get-Criteria([object] $Scope, [object] $Policy) {
    $criteria = @{ MacAddress = @('EQ') + @($Scope.Reservations | ForEach-Object { Get-PlainHex $_.Client }) }
    $user = @($Policy.User | Where-Object { $classNames.ContainsKey($_) } | ForEach-Object { $classNames[$_] })
    if ($user.Count -gt 0) {
        $criteria.UserClass = @('EQ') + $user
    }
    $vendor = @($Policy.Vendor | ForEach-Object { $classNames[$_] + '*' })
    if ($vendor.Count -gt 0) {
        $criteria.VendorClass = @('EQ') + $vendor
    }
    return $criteria
}

function Set-Mark([object] $Scope) {
    $found = @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { $_.Name -eq $markName })
    $on = 'scope {0}, policy {1}' -f $Scope.Id, $markName
    if ($found.Count -eq 0) {
        Invoke-Change $on ('add, disabled: {0}' -f $markText) {
            Add-DhcpServerv4Policy -ScopeId $Scope.Id -Name $markName -Condition 'And' -Description $markText -Enabled $false -MacAddress @('EQ', '000000000000') -Confirm:$false @there
        }
    } elseif ($found[0].Description -cne $markText) {
        Invoke-Change $on ('describe: {0}' -f $markText) {
            Set-DhcpServerv4Policy -ScopeId $Scope.Id -Name $markName -Description $markText -Confirm:$false @there
        }
    }
}

function Set-Policy([object] $Scope, [object] $Policy) {
    $on = 'scope {0}, policy {1}' -f $Scope.Id, $Policy.Name
    $criteria = Get-Criteria $Scope $Policy
    $place = @{ ScopeId = $Scope.Id; PolicyName = $Policy.Name }
    $found = @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { $_.Name -eq $Policy.Name })
    $values = @()
    if ($found.Count -eq 0) {
        Invoke-Change $on 'add' {
            Add-DhcpServerv4Policy -ScopeId $Scope.Id -Name $Policy.Name -Condition 'And' -Description $Policy.Says -Enabled $false -Confirm:$false @criteria @there
        }
    } else {
        $values = @(Get-DhcpServerv4OptionValue @place @there)
        $differ = @($criteria.Keys | Where-Object { -not (Test-SameSet $found[0].$_ $criteria[$_]) })
        if ($differ.Count -gt 0 -or $found[0].Condition -ne 'And' -or $found[0].Description -cne $Policy.Says) {
            Invoke-Change $on 'change its conditions' {
                Set-DhcpServerv4Policy -ScopeId $Scope.Id -Name $Policy.Name -Condition 'And' -Description $Policy.Says -Confirm:$false @criteria @there
            }
        }
    }
    Set-Option $on $place $Policy.Options $values @(60, 66, 67)
}

function Set-Order([object] $Scope) {
    $last = 0
    foreach ($policy in $Scope.Policies) {
        $found = @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { $_.Name -eq $policy.Name })
        if ($found.Count -eq 0) {
            continue
        }
        $order = [int] $found[0].ProcessingOrder
        if ($order -lt $last) {
            Invoke-Change ('scope {0}, policy {1}' -f $Scope.Id, $policy.Name) ('move to place {0}' -f $last) {
                Set-DhcpServerv4Policy -ScopeId $Scope.Id -Name $policy.Name -ProcessingOrder $last -Confirm:$false @there
            }
            $order = $last
        }
        $last = $order
    }
    foreach ($policy in @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { @($Scope.Policies | ForEach-Object { $_.Name }) -contains $_.Name -and -not $_.Enabled })) {
        Invoke-Change ('scope {0}, policy {1}' -f $Scope.Id, $policy.Name) 'enable' {
            Set-DhcpServerv4Policy -ScopeId $Scope.Id -Name $policy.Name -Enabled $true -Confirm:$false @there
        }
    }
}

function Remove-OldPolicy([object] $Scope) {
    $names = @($Scope.Policies | ForEach-Object { $_.Name }) + $markName
    foreach ($policy in @(Get-DhcpServerv4Policy -ScopeId $Scope.Id @there | Where-Object { (Test-Ours $_) -and $_.Name -like ($prefix + '*') -and $names -notcontains $_.Name })) {
        Invoke-Change ('scope {0}, policy {1}' -f $Scope.Id, $policy.Name) 'remove' {
            Remove-DhcpServerv4Policy -ScopeId $Scope.Id -Name $policy.Name -Confirm:$false @there
        }
    }
}

function Set-Reservation([object] $Scope) {
    $wanted = @{}
    foreach ($reservation in $Scope.Reservations) {
        $wanted[$reservation.Address + ' ' + (Get-PlainHex $reservation.Client)] = $reservation
    }
    $standing = @{}
    foreach ($found in @(Get-DhcpServerv4Reservation -ScopeId $Scope.Id @there)) {
        $key = [string] $found.IPAddress + ' ' + (Get-PlainHex $found.ClientId)
        if ($wanted.ContainsKey($key)) {
            $standing[$key] = $found
        } elseif (Test-Ours $found) {
            Invoke-Change ('scope {0}, reservation {1} for {2}' -f $Scope.Id, $found.IPAddress, $found.ClientId) 'remove' {
                Remove-DhcpServerv4Reservation -IPAddress $found.IPAddress -Confirm:$false @there
            }
        }
    }
    foreach ($reservation in $Scope.Reservations) {
        $key = $reservation.Address + ' ' + (Get-PlainHex $reservation.Client)
        $found = $standing[$key]
        Set-OneReservation $Scope $reservation $found
    }
}

function Set-OneReservation([object] $Scope, [object] $Reservation, [object] $Found) {
    $on = 'scope {0}, reservation {1} for {2}' -f $Scope.Id, $Reservation.Address, $Reservation.Client
    $place = @{ ReservedIP = $Reservation.Address }
    $values = @()
    if ($null -eq $Found) {
        Invoke-Change $on 'add' {
            Add-DhcpServerv4Reservation -ScopeId $Scope.Id -IPAddress $Reservation.Address -ClientId $Reservation.Client -Name $Reservation.Name -Description ($owner + $Reservation.Source) -Type 'Dhcp' -Confirm:$false @there
        }
    } elseif (-not (Test-Ours $Found)) {
        Write-Warning ('{0}: stands there already, not by Tugboot for this cluster: it stays as it is, options included' -f $on)
        return
    } else {
        $values = @(Get-DhcpServerv4OptionValue @place @there)
        if ($Found.Name -cne $Reservation.Name -or $Found.Description -cne ($owner + $Reservation.Source)) {
            Invoke-Change $on 'change its name and description' {
                Set-DhcpServerv4Reservation -IPAddress $Reservation.Address -Name $Reservation.Name -Description ($owner + $Reservation.Source) -Confirm:$false @there
            }
        }
    }
    Set-Option $on $place $Reservation.Options $values @(3, 6, 12, 15, 42, 51, 121)
}

$problems = @($scopes | ForEach-Object { Get-ScopeProblem $_ })
if ($problems.Count -gt 0) {
    throw ('Nothing was changed. ' + ($problems -join '; '))
}
foreach ($definition in $definitions) {
    Set-Definition $definition
}
foreach ($class in $classes) {
    Set-Class $class
}
foreach ($scope in $scopes) {
    Set-Mark $scope
    Set-Reservation $scope
    foreach ($policy in $scope.Policies) {
        Set-Policy $scope $policy
    }
    Remove-OldPolicy $scope
    Set-Order $scope
}
foreach ($relation in @(Get-DhcpServerv4Failover @there)) {
    foreach ($id in @($relation.ScopeId | ForEach-Object { [string] $_ } | Where-Object { @($scopes | ForEach-Object { $_.Id }) -contains $_ })) {
        Invoke-Change ('scope {0}' -f $id) ('replicate to the failover partner {0}' -f $relation.PartnerServer) {
            Invoke-DhcpServerv4FailoverReplication -ScopeId $id -Force -Confirm:$false @there
        }
    }
}
