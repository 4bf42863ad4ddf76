// Fills the page from the data that stands in it. Text from guests and hosts only ever becomes text
// nodes.
'use strict';

(() => {
  const {data, several, shortName, columns, kernels, groups: means, subsystems, subsystemOf, families, percentilesOf} = hvModel;
  const byId = id => document.getElementById(id);

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === 'onclick') made.addEventListener('click', value);
      else if (value !== undefined && value !== false) made.setAttribute(key, value);
    }
    made.append(...children.filter(child => child !== null && child !== undefined));
    return made;
  }

  // ---- Numbers.

  const kMarks = {slower: '▲', faster: '▼', 'no difference found': '=', 'too few boots': '≈', 'too noisy': '?', 'one boot': '1'};
  const ratioText = r => r >= 100 ? r.toFixed(0) : r >= 10 ? r.toFixed(1) : r >= 0.1 ? r.toFixed(2) : r.toPrecision(2);
  function intervalText(estimate) {
    if (estimate.lo === undefined) return 'no interval';
    const digits = Math.abs(estimate.r - 1) < 0.1 ? x => x.toFixed(3) : ratioText;
    return digits(estimate.lo) + ' … ' + digits(estimate.hi);
  }

  const percentText = ratio => ratio > 11 ? 'over 1000 %' : (100 * (ratio - 1)).toFixed(1) + ' %';
  const pair = ([low, high]) => ratioText(low) + ' … ' + ratioText(high);
  // What is behind a ratio, in a sentence for each thing.
  const evidence = cell => [
    `${cell.v}: ${cell.ratio.n} ${cell.ratio.unit}${cell.ratio.n > 1 ? 's' : ''}, from ${pair(cell.ratio.range)}`,
    cell.ratio.detectable === undefined ? '' : `a difference of ${percentText(cell.ratio.detectable)} would have been found in 80 %`,
    `median ${ratioText(cell.ratio.median.r)}×, ${intervalText(cell.ratio.median)}`,
  ].filter(Boolean).join('; ');

  // Class and depth of a cell's colour: as far from 1 as 16 times either way is full.
  function tint(made, ratio, verdict) {
    const tone = verdict === 'slower' ? 'slower' : verdict === 'faster' ? 'faster' : 'same';
    const depth = tone === 'same' ? 0.07 : 0.12 + 0.45 * Math.min(1, Math.abs(Math.log2(ratio)) / 4);
    made.classList.add(tone);
    made.style.setProperty('--depth', depth.toFixed(3));
  }

  const kindOf = column => [column.emulated ? 'emulated' : '', column.baseline ? 'baseline' : ''].join(' ').trim() || undefined;
  const badges = column => [
    column.baseline ? element('span', {class: 'badge'}, 'baseline') : null,
    column.emulated ? element('span', {class: 'badge emulated'}, 'emulated') : null,
    column.nested ? element('span', {class: 'badge'}, 'nested VM') : null,
  ].filter(Boolean);
  const heading = column => element('th', {scope: 'col', class: kindOf(column)},
    column.label, ...badges(column).flatMap(badge => [' ', badge]));

  // ---- Head, warnings, matrix.

  function fact(name, value) {
    return value ? element('div', {}, element('dt', {}, name), element('dd', {}, value)) : null;
  }

  function showRuns() {
    byId('version').textContent = data.version;
    for (const file of data.files) {
      byId('runs').append(element('div', {class: 'run'},
        several ? element('strong', {}, file.name) : null,
        element('dl', {},
          fact('host', file.host.cpu_model), fact('kernel', file.host.kernel),
          fact('machine', file.virtualization === 'nested' ? 'a virtual machine itself' : file.virtualization),
          fact('guests', file.run.vcpus && `${file.run.vcpus} vCPU, ${file.run.memory_mib} MiB`),
          fact('profile', file.profile), fact('baseline', file.baseline), fact('date', file.date))));
    }
  }

  function showNotices() {
    const place = byId('notices');
    for (const file of data.files) {
      const warnings = Object.entries(file.warnings);
      if (!warnings.length) continue;
      const place_name = several ? ' of ' + shortName(file.name) : '';
      place.append(element('details', {class: 'notice'},
        element('summary', {}, `⚠ ${warnings.length} warning${warnings.length > 1 ? 's' : ''}${place_name}: `
          + warnings.map(([kind]) => kind.replaceAll('_', ' ')).join(', ')),
        element('ul', {}, ...warnings.map(([kind, text]) => element('li', {},
          element('strong', {}, kind.replaceAll('_', ' ')), ': ' + text)))));
    }
    if (columns.some(column => column.emulated)) {
      place.append(element('div', {class: 'notice'},
        'Columns marked “emulated” ran without hardware virtualization. Their numbers say that it works, not how fast it is.'));
    }
    if (columns.some(column => column.nested)) {
      place.append(element('div', {class: 'notice'},
        'The host is itself a virtual machine: runtimes marked “nested VM” pay several times for each exit.'));
    }
  }

  function matrixCell(column, cell, row) {
    const attributes = {class: kindOf(column)};
    if (!cell) return element('td', attributes, '·');
    const left = [cell.skipped ? `${cell.skipped} skipped` : '', cell.failed ? `${cell.failed} FAILED` : ''].filter(Boolean).join(', ');
    if (!cell.ratio) return element('td', attributes, column.baseline ? '1.00×' : left || '·');
    const counts = Object.entries(cell.verdicts).map(([verdict, count]) => `${count} ${verdict}`).join(', ');
    const button = element('button', {type: 'button', class: 'cell', 'data-subsystem': row.subsystem,
      title: `benchmarks: ${counts}. The mean: ${evidence(cell)}`, onclick: () => showSubsystem(row.subsystem)},
      element('b', {}, `${kMarks[cell.v]} ${ratioText(cell.ratio.r)}×`),
      element('small', {}, intervalText(cell.ratio)),
      element('small', {}, `of ${pair(cell.cells)}`),
      left ? element('small', {}, left) : null);
    tint(button, cell.ratio.r, cell.v);
    return element('td', attributes, button);
  }

  function showMatrix() {
    byId('matrix-table').append(element('table', {class: 'matrix'},
      element('thead', {}, element('tr', {}, element('th', {scope: 'col'}, 'group'), ...columns.map(heading))),
      element('tbody', {}, ...means.map(row => element('tr', {},
        element('th', {scope: 'row'}, row.name, element('small', {}, ` ${row.count} of ${row.of}`)),
        ...columns.map((column, i) => matrixCell(column, row.cells[i], row)))))));
    const meanings = {slower: 'slower', faster: 'faster',
      'no difference found': 'no difference found, and one of 5 % would have been',
      'too few boots': 'the same, but of too few boots to know of rare slow ones',
      'too noisy': 'too noisy to say', 'one boot': 'one boot a side: no interval, no verdict'};
    byId('legend').append(...Object.entries(kMarks).map(([verdict, mark]) => element('span', {}, `${mark} ${meanings[verdict]}`)));
  }

  // ---- Benchmarks.

  function listCell(column, cell) {
    const made = element('td', {'data-label': column.label, class: kindOf(column)});
    if (!cell) {
      made.classList.add('none');
      made.append('·');
    } else if (cell.o) {
      made.classList.add('none');
      made.title = cell.why;
      made.append(cell.o === 'failed' ? '✗ FAILED' : '∅ skipped');
    } else if (cell.ratio) {
      made.classList.add('tinted');
      made.append(element('span', {class: 'mark'}, kMarks[cell.v]), ` ${ratioText(cell.ratio.r)}×`,
        element('small', {}, intervalText(cell.ratio)));
      if (cell.v === 'no difference found') made.append(element('small', {}, `finds ${percentText(cell.ratio.detectable)}`));
      made.title = evidence(cell);
      tint(made, cell.ratio.r, cell.v);
    } else {
      made.append(hvCharts.timeText(cell.time.r), element('small', {}, `± ${(100 * cell.cv).toFixed(1)} %`));
    }
    return made;
  }

  function listRow(row) {
    const button = element('button', {type: 'button', class: 'open', 'aria-expanded': 'false'}, row.name);
    const line = element('tr', {}, element('td', {}, button), ...columns.map((column, i) => listCell(column, row.cells[i])));
    button.addEventListener('click', () => toggle(row, line, button));
    return line;
  }

  function toggle(row, line, button) {
    if (line.nextSibling?.classList?.contains('panel-row')) {
      hvCharts.forget(line.nextSibling);
      line.nextSibling.remove();
      button.setAttribute('aria-expanded', 'false');
      return;
    }
    const panel = element('div', {class: 'panel', 'data-kernel': row.name});
    line.after(element('tr', {class: 'panel-row'}, element('td', {colspan: columns.length + 1}, panel)));
    button.setAttribute('aria-expanded', 'true');
    fillPanel(panel, row);
  }

  const groups = new Map();
  function showBenchmarks() {
    for (const subsystem of subsystems) {
      const rows = kernels.filter(row => subsystemOf(row.name) === subsystem);
      const group = element('details', {class: 'group', id: 'group-' + subsystem},
        element('summary', {}, `${subsystem} (${rows.length})`));
      // Made when it is opened: most readers look at a few subsystems.
      group.addEventListener('toggle', () => { if (group.open) fillGroup(subsystem); });
      groups.set(subsystem, {group, rows, filled: false});
      byId('benchmark-list').append(group);
    }
    if (kernels.length <= 60) for (const name of groups.keys()) groups.get(name).group.open = true;
    let timer = 0;
    byId('search').addEventListener('input', event => {
      clearTimeout(timer);
      timer = setTimeout(() => filter(event.target.value.trim().toLowerCase()), 120);
    });
  }

  function fillGroup(name) {
    const entry = groups.get(name);
    if (entry.filled) return;
    entry.filled = true;
    entry.lines = entry.rows.map(listRow);
    entry.group.append(element('div', {class: 'scroll'}, element('table', {class: 'list'},
      element('thead', {}, element('tr', {}, element('th', {scope: 'col'}, 'benchmark'), ...columns.map(heading))),
      element('tbody', {}, ...entry.lines))));
  }

  function filter(text) {
    for (const [name, entry] of groups) {
      const shown = entry.rows.map(row => row.name.toLowerCase().includes(text));
      const any = shown.includes(true);
      entry.group.hidden = !any;
      if (text && any) {
        fillGroup(name);
        entry.group.open = true;
      }
      entry.lines?.forEach((line, i) => { line.hidden = !shown[i]; line.style.display = shown[i] ? '' : 'none'; });
    }
  }

  function showSubsystem(name) {
    const {group} = groups.get(name);
    group.open = true;
    fillGroup(name);
    group.scrollIntoView({block: 'start'});
    group.querySelector('button.open')?.focus({preventScroll: true});
  }

  // ---- One benchmark.

  // Geometric means of the repetitions of each boot; all repetitions if the file does not say.
  function perBoot(cell) {
    if (!cell.b) return cell.t;
    const logs = new Map();
    cell.t.forEach((ns, i) => logs.set(cell.b[i], [...(logs.get(cell.b[i]) || []), Math.log(ns)]));
    return [...logs.values()].map(all => Math.exp(all.reduce((a, b) => a + b) / all.length));
  }

  const measured = row => columns.filter(column => row.cells[column.index]?.t);

  function drawPercentiles(place, row) {
    const series = measured(row).map(column => {
      const cell = row.cells[column.index];
      return {label: column.label, index: column.index,
        points: percentilesOf(cell).filter(([p]) => p < 100).map(([p, name]) => [1 / (1 - p / 100), cell.c[name]])};
    }).filter(one => one.points.length > 1);
    if (!series.length) return;
    hvCharts.lines(place, 'Latency by percentile', series, {
      x: 'percentile', y: 'latency', xType: 'logarithmic', yType: 'logarithmic',
      // On this axis each nine takes the same room.
      xExtra: {afterBuildTicks: axis => { axis.ticks = [2, 10, 100, 1e3, 1e4].filter(x => x >= axis.min && x <= axis.max).map(value => ({value})); }},
      xText: x => 'p' + Number((100 * (1 - 1 / x)).toPrecision(5)), yText: hvCharts.timeText,
    });
  }

  function drawFamily(place, family) {
    const cells = family.rows.flatMap(({row}) => measured(row).map(column => row.cells[column.index]));
    if (!cells.length) return;
    const bytes = cells.every(cell => cell.c.bytes_per_second > 0);
    // A density curve: what each further guest costs.
    const memory = family.key === 'guests' && cells.every(cell => cell.c.pss_bytes > 0);
    const value = cell => memory ? cell.c.pss_bytes : bytes ? cell.c.bytes_per_second : cell.time.r;
    const series = columns.map(column => ({label: column.label, index: column.index,
      points: family.rows.filter(({row}) => row.cells[column.index]?.t).map(({x, row}) => [x, value(row.cells[column.index])])}))
      .filter(one => one.points.length);
    const xs = family.rows.map(one => one.x);
    const ys = series.flatMap(one => one.points.map(point => point[1]));
    const wide = values => Math.min(...values) > 0 && Math.max(...values) > 16 * Math.min(...values);
    hvCharts.lines(place, family.name, series, {
      x: family.key.replaceAll('_', ' '), y: memory ? 'memory' : bytes ? 'bandwidth' : 'time of one iteration',
      xType: wide(xs) ? 'logarithmic' : 'linear', yType: wide(ys) ? 'logarithmic' : 'linear',
      xText: x => hvCharts.numberText(x).trim(), yText: memory ? hvCharts.bytesText : bytes ? hvCharts.rateText : hvCharts.timeText,
      yExtra: wide(ys) ? {} : {beginAtZero: true},
    });
  }

  function rawTable(row) {
    const list = measured(row);
    const counters = [...new Set(list.flatMap(column => Object.keys(row.cells[column.index].c)))].sort();
    const lines = list.map(column => {
      const cell = row.cells[column.index];
      return element('tr', {}, element('td', {}, column.label),
        element('td', {}, String(cell.t.length)),
        element('td', {}, String(cell.b ? new Set(cell.b).size : '?')),
        element('td', {}, hvCharts.timeText(cell.time.r)), element('td', {}, (100 * cell.cv).toFixed(2) + ' %'),
        ...counters.map(name => element('td', {}, cell.c[name] === undefined ? '' : String(cell.c[name]))));
    });
    const reasons = columns.filter(column => row.cells[column.index]?.o).map(column =>
      element('li', {}, `${column.label}: ${row.cells[column.index].o}: ${row.cells[column.index].why}`));
    return element('details', {class: 'raw'}, element('summary', {}, 'Raw numbers'),
      element('div', {class: 'scroll'}, element('table', {},
        element('thead', {}, element('tr', {}, ...['runtime', 'repetitions', 'boots', 'time', 'variation of boots', ...counters].map(name => element('th', {scope: 'col'}, name)))),
        element('tbody', {}, ...lines))),
      reasons.length ? element('ul', {}, ...reasons) : null,
      element('button', {type: 'button', onclick: event => copy(csv([row]), event.target)}, 'Copy as CSV'));
  }

  function fillPanel(panel, row) {
    const place = element('div', {class: 'charts'});
    panel.append(place, rawTable(row));
    const list = measured(row);
    if (!list.length) return;
    hvCharts.bars(place, 'Time of one iteration', list.map(column => {
      const {time} = row.cells[column.index];
      return {label: column.label, value: time.r, low: time.lo, high: time.hi, colour: hvCharts.colour(column.index)};
    }), hvCharts.timeText);
    drawPercentiles(place, row);
    for (const family of families.values()) {
      if (family.rows.some(one => one.row === row)) drawFamily(place, family);
    }
    // One value a boot; those of startup are means of several boots each.
    const boots = list.map(column => ({label: column.label, index: column.index, values: perBoot(row.cells[column.index])}))
      .filter(one => one.values.length > 1);
    if (boots.length) hvCharts.cdf(place, 'Distribution of the boots', boots, 'time', hvCharts.timeText);
  }

  // ---- Curves over several benchmarks, and of the boots.

  function showCurves() {
    const choices = [];
    const boots = columns.filter(column => column.runtime.boots_ms.length > 1);
    if (boots.length) {
      choices.push(['boot times (CDF)', place => hvCharts.cdf(place, 'Launch to first reply', boots.map(column => ({label: column.label,
        index: column.index, values: column.runtime.boots_ms.map(ms => ms * 1e6)})), 'time', hvCharts.timeText)]);
    }
    for (const family of families.values()) choices.push([family.name, place => drawFamily(place, family)]);
    if (!choices.length) {
      byId('curves').hidden = true;
      return;
    }
    const buttons = choices.map(([name, drawChoice]) => element('button', {type: 'button', 'aria-pressed': 'false', onclick: event => {
      for (const button of buttons) button.setAttribute('aria-pressed', String(button === event.currentTarget));
      const panel = byId('curve-panel');
      hvCharts.forget(panel);
      panel.replaceChildren();
      panel.className = 'panel';
      drawChoice(panel);
    }}, name));
    byId('curve-buttons').append(...buttons);
  }

  // ---- Lists below.

  function showUnmeasured() {
    const reasons = new Map();
    for (const row of kernels) {
      for (const column of columns) {
        const cell = row.cells[column.index];
        if (!cell?.o) continue;
        const key = cell.o + ': ' + cell.why;
        if (!reasons.has(key)) reasons.set(key, {...cell, names: []});
        reasons.get(key).names.push(`${row.name} · ${column.label}`);
      }
    }
    const list = [...reasons.values()].sort((a, b) => a.o.localeCompare(b.o));
    byId('unmeasured-list').append(...list.map(reason => element('details', {class: 'finding', open: reason.o === 'failed'},
      element('summary', {}, element('span', {class: 'status ' + (reason.o === 'failed' ? 'refuted' : '')}, reason.o === 'failed' ? '✗ failed' : '∅ skipped'),
        ` ${reason.names.length} × `, element('span', {}, reason.why)),
      element('ul', {}, ...reason.names.map(name => element('li', {}, name))))));
    if (!list.length) byId('unmeasured-list').append(element('p', {class: 'muted'}, 'Nothing: every benchmark was measured everywhere.'));
  }

  function claimText(claim) {
    const ratio = claim.ratio === undefined ? '' : `, measured ${ratioText(claim.ratio)}` +
      (claim.low === undefined ? '' : ` [${ratioText(claim.low)}, ${ratioText(claim.high)}]`);
    return `${claim.quantity} of ${claim.runtime} to ${claim.baseline}: expected ${claim.expected}${ratio}: ${claim.status}` +
      (claim.why && claim.status !== 'not measured here' ? ` (${claim.why})` : claim.why === 'emulated' ? ' (emulated)' : '');
  }

  function showFindings() {
    const marks = {confirmed: '✓', refuted: '✗', undecided: '?', 'not measured here': '·'};
    for (const file of data.files) {
      if (several) byId('findings-list').append(element('h3', {}, file.name));
      const known = file.findings.filter(finding => finding.status !== 'not measured here');
      const unknown = file.findings.filter(finding => finding.status === 'not measured here');
      const show = finding => element('div', {class: 'finding'},
        element('p', {}, element('span', {class: 'status ' + finding.status}, `${marks[finding.status]} ${finding.status}`), ' ',
          finding.statement + ' ', element('span', {class: 'muted'}, `${finding.number}, ${finding.subsystem}; ${finding.grade}: ${finding.source}`)),
        element('ul', {}, ...finding.claims.filter(claim => claim.status !== 'not measured here' || claim.why === 'emulated').map(claim => element('li', {}, claimText(claim)))));
      byId('findings-list').append(...known.map(show),
        element('details', {}, element('summary', {}, `${unknown.length} not measured here`), ...unknown.map(show)));
    }
  }

  // Rows are facts, columns guests; a cell that differs from the baseline's is marked.
  function factTable(keys, valueOf, markDifferences) {
    return element('div', {class: 'scroll'}, element('table', {class: 'facts'},
      element('thead', {}, element('tr', {}, element('th', {scope: 'col'}, ''), ...columns.map(heading))),
      element('tbody', {}, ...keys.map(key => element('tr', {}, element('th', {scope: 'row'}, key.replace(/^guest\./, '').replaceAll('_', ' ')),
        ...columns.map(column => {
          const reference = columns.find(other => other.f === column.f && other.baseline);
          const value = valueOf(column, key);
          const differs = markDifferences && key !== 'guest.clock_read_ns' && reference && value !== valueOf(reference, key);
          return element('td', {class: differs ? 'differs' : undefined}, (differs ? '≠ ' : '') + (value ?? ''));
        }))))));
  }

  // The flags of the host's processor that a guest does not see.
  function hiddenFlags(column) {
    const reference = columns.find(other => other.f === column.f && other.baseline) || column;
    const flags = (of) => (of.runtime.facts['guest.cpu_flags'] || '').split(' ').filter(Boolean);
    const seen = new Set(flags(column));
    const hidden = flags(reference).filter(flag => !seen.has(flag));
    return hidden.length ? `${hidden.length}: ${hidden.slice(0, 12).join(' ')}${hidden.length > 12 ? ' …' : ''}` : 'none';
  }

  function showFacts() {
    const value = (column, key) => column.runtime.facts[key];
    const keys = [...new Set(columns.flatMap(column => Object.keys(column.runtime.facts)))].sort();
    const fair = ['vcpus', 'memory_mib', 'kernel', 'clocksource', 'clock', 'clock_read_ns', 'scratch', 'interfaces',
      'seccomp', 'no_new_privileges', 'transparent_hugepage', 'page_bytes', 'cpu_model'].map(key => 'guest.' + key)
      .filter(key => keys.includes(key));
    byId('fairness-list').append(element('p', {class: 'muted'}, 'As the agent saw it from inside. ≠ differs from the baseline.'),
      factTable([...fair, 'CPU flags hidden'], (column, key) => key === 'CPU flags hidden' ? hiddenFlags(column) : value(column, key), true));
    byId('facts-list').append(factTable(keys.filter(key => !key.startsWith('guest.')), value, false),
      ...data.files.map(file => element('details', {}, element('summary', {}, 'Host' + (several ? ' of ' + file.name : '')),
        element('table', {class: 'facts'}, element('tbody', {}, ...Object.entries(file.host).filter(([, text]) => text).map(([key, text]) =>
          element('tr', {}, element('th', {scope: 'row'}, key.replaceAll('_', ' ')), element('td', {}, text))))))));
  }

  // ---- CSV, theme.

  function csv(rows) {
    const field = text => /[",\n]/.test(text) ? '"' + String(text).replaceAll('"', '""') + '"' : text;
    const lines = ['file,benchmark,runtime,emulated,outcome,reason,repetition,boot,real_time_ns'];
    for (const row of rows) {
      for (const column of columns) {
        const cell = row.cells[column.index];
        if (!cell) continue;
        const begin = [column.file.name, row.name, column.runtime.name, column.emulated, cell.o || 'measured', cell.why || ''].map(field);
        if (cell.o) lines.push([...begin, '', '', ''].join(','));
        else cell.t.forEach((ns, i) => lines.push([...begin, i, cell.b ? cell.b[i] : '', ns].join(',')));
      }
    }
    return lines.join('\n') + '\n';
  }

  // Also where the clipboard's interface is denied, as it is for pages from files in some browsers.
  async function copy(text, button) {
    const area = element('textarea', {readonly: '', 'aria-label': 'CSV'});
    area.value = text;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      document.body.append(area);
      area.select();
      done = document.execCommand('copy');
      area.remove();
    }
    const before = button.textContent;
    button.textContent = done ? 'Copied' : 'Could not copy';
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  function redrawCharts() {
    for (const panel of document.querySelectorAll('.panel[data-kernel]')) {
      hvCharts.forget(panel);
      panel.replaceChildren();
      fillPanel(panel, kernels.find(row => row.name === panel.dataset.kernel));
    }
    byId('curve-buttons').querySelector('[aria-pressed=true]')?.click();
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    byId('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
    redrawCharts();
  }

  const system = matchMedia('(prefers-color-scheme: dark)');
  byId('theme').addEventListener('click', () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
  byId('copy-csv').addEventListener('click', event => copy(csv(kernels), event.currentTarget));
  setTheme(new URLSearchParams(location.search).get('theme') || (system.matches ? 'dark' : 'light'));
  showRuns();
  showNotices();
  showMatrix();
  showBenchmarks();
  showCurves();
  showUnmeasured();
  showFindings();
  showFacts();
  document.documentElement.dataset.ready = 'true';
})();
