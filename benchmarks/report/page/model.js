// The data that stands in the page, as the page needs it. Draws nothing.
'use strict';

const hvModel = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);

  // ---- The files side by side: a column is a runtime of a file.

  const several = data.files.length > 1;
  const shortName = name => name.split('/').pop().replace(/\.json$/, '');
  const columns = data.files.flatMap((file, f) => file.runtimes.map((runtime, r) => ({
    f, r, file, runtime, emulated: runtime.emulated, nested: runtime.nested,
    baseline: runtime.name === file.baseline,
    label: (runtime.name || 'result') + (several ? ' · ' + shortName(file.name) : ''),
  })));
  // Emulated ones last: no eye should run from one kind into the other.
  columns.sort((a, b) => a.emulated - b.emulated || a.f - b.f || a.r - b.r);
  columns.forEach((column, i) => { column.index = i; });

  // Rows of all files by their name, each with a cell for each column.
  function union(list) {
    const rows = new Map();
    for (const column of columns) {
      for (const entry of column.file[list]) {
        if (!rows.has(entry.name)) rows.set(entry.name, {...entry, cells: columns.map(() => null)});
        rows.get(entry.name).cells[column.index] = entry.cells[column.r];
      }
    }
    return [...rows.values()];
  }
  const kernels = union('kernels');
  const groups = union('groups');
  const subsystemOf = name => name.split('/')[0];
  const subsystems = [...new Set(kernels.map(row => subsystemOf(row.name)))];

  // p50_ns, p99_ns, p99.9_ns and p999_ns: [percentile, counter].
  function percentilesOf(cell) {
    return Object.keys(cell.c).map(name => [/^p(\d+(?:\.\d+)?)_ns$/.exec(name)?.[1], name])
      .filter(([digits]) => digits)
      .map(([digits, name]) => [digits.length > 2 && !digits.includes('.') ? Number(digits.slice(0, 2) + '.' + digits.slice(2)) : Number(digits), name])
      .sort((a, b) => a[0] - b[0]);
  }

  // The families of a benchmark: one parameter varies, all others stay.
  function parse(name) {
    const parts = name.split('/');
    return {kernel: parts.slice(0, 2).join('/'), params: parts.slice(2).map(part => {
      const at = part.indexOf(':');
      return [part.slice(0, at), part.slice(at + 1)];
    })};
  }
  const families = new Map();
  function findFamilies() {
    for (const row of kernels) {
      const {kernel, params} = parse(row.name);
      for (const [key, value] of params) {
        if (!/^\d+(\.\d+)?$/.test(value)) continue;
        const rest = params.filter(([other]) => other !== key).map(pair => pair.join(':')).join('/');
        const name = kernel + (rest ? '/' + rest : '') + ' by ' + key;
        if (!families.has(name)) families.set(name, {name, key, rows: []});
        families.get(name).rows.push({x: Number(value), row});
      }
    }
    for (const [name, family] of families) {
      family.rows.sort((a, b) => a.x - b.x);
      if (new Set(family.rows.map(one => one.x)).size < 2) families.delete(name);
    }
  }

  findFamilies();

  return {data, several, shortName, columns, kernels, groups, subsystems, subsystemOf, families, percentilesOf};
})();
