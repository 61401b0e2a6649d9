"""The parser of a command line in PowerShell's language; `_completion` puts the tables in, as into `_shells`."""

from __future__ import annotations

POWERSHELL = r"""# Completion of spectronctl for PowerShell; generated from the command tree, do not edit.

Register-ArgumentCompleter -Native -CommandName spectronctl -ScriptBlock {
    param($current, $ast, $cursor)

    # Not @{}, which would take -c and -C for the same.
    $steps = New-Object System.Collections.Hashtable
    $calls = New-Object System.Collections.Hashtable
    $commands = New-Object System.Collections.Hashtable
    $options = New-Object System.Collections.Hashtable
    {{tables}}

    function Find-Call($path, $word) {
        if ($calls.ContainsKey("$path $word")) { $calls["$path $word"] } else { $calls["* $word"] }
    }

    function Write-Words($words, $prefix, $start) {
        # Words and their descriptions take turns.
        for ($i = 0; $i -lt $words.Count; $i += 2) {
            if ($words[$i].StartsWith($start, [StringComparison]::Ordinal)) {
                [System.Management.Automation.CompletionResult]::new(
                    $prefix + $words[$i], $words[$i], 'ParameterValue', $words[$i + 1])
            }
        }
    }

    function Write-Call($call, $prefix, $start) {
        switch (@($call)[0]) {
            'offer' {
                Write-Words @($call | Select-Object -Skip 1 | ForEach-Object { $_; $_ }) $prefix $start
            }
            'list' {
                $done = $start -replace '[^,]*$', ''
                $words = @($call | Select-Object -Skip 1 | ForEach-Object { $_; $_ })
                Write-Words $words ($prefix + $done) $start.Substring($done.Length)
            }
            'ask' {
                $seen = $ast.ToString() | spectronctl __complete $call[1] - 2>$null
                Write-Words @($seen | ForEach-Object { $_; $_ }) $prefix $start
            }
            'files' {
                [System.Management.Automation.CompletionCompleters]::CompleteFilename($start) | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new(
                        $prefix + $_.CompletionText, $_.ListItemText, 'ProviderItem', $_.ToolTip)
                }
            }
        }
    }

    $at = ''
    $count = 0
    $option = $null
    $rest = $false
    $words = @($ast.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text.Trim('"', "'") })
    foreach ($word in $words) {
        if ($option) {
            $option = $null
        } elseif (-not $rest -and $word -ceq '--') {
            $rest = $true
        } elseif (-not $rest -and $word.Length -gt 1 -and $word.StartsWith('-')) {
            $option = Find-Call $at $word
        } elseif ($count -eq 0 -and $steps.ContainsKey("$at $word")) {
            $at = $steps["$at $word"]
        } else {
            $count++
        }
    }

    $name, $value = $current -split '=', 2
    $given = if (-not $rest -and $current -clike '--*=*') { Find-Call $at $name }
    $found = @(
        if ($option) {
            Write-Call $option '' $current
        } elseif ($given) {
            Write-Call $given "$name=" $value
        } elseif (-not $rest -and $current.StartsWith('-')) {
            Write-Words $options[$at] '' $current
            Write-Words $options['*'] '' $current
        } else {
            if ($count -eq 0 -and $commands.ContainsKey($at)) { Write-Words $commands[$at] '' $current }
            $argument = if ($calls.ContainsKey("$at $count")) { $calls["$at $count"] } else { $calls["$at *"] }
            if ($argument) { Write-Call $argument '' $current }
        }
    )
    # An empty result would make PowerShell offer files.
    if ($found.Count) { $found } else { '' }
}
"""
