// Charts of one benchmark or one family of benchmarks, drawn by Chart.js when they are asked for.
'use strict';

const hvCharts = (() => {
  const open = new Map();  // canvas -> Chart

  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Okabe and Ito's colours, which the colour-blind can tell apart; dashes tell them apart as well.
  const kColours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d31', '#7a7a7a'];
  const kDashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
  const kPoints = ['circle', 'rectRot', 'triangle', 'rect', 'star', 'crossRot'];
  const look = i => ({
    borderColor: kColours[i % kColours.length],
    backgroundColor: kColours[i % kColours.length],
    borderDash: kDashes[i % kDashes.length],
    pointStyle: kPoints[i % kPoints.length],
    borderWidth: 2,
    pointRadius: 4,
  });

  function timeText(ns) {
    if (ns === 0) return '0';
    for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
      if (Math.abs(ns) >= size) return Number((ns / size).toPrecision(3)) + ' ' + unit;
    }
    return Number(ns.toPrecision(3)) + ' ns';
  }

  function numberText(value) {
    for (const [unit, size] of [['T', 1e12], ['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
      if (Math.abs(value) >= size) return Number((value / size).toPrecision(3)) + ' ' + unit;
    }
    return Number(value.toPrecision(3)) + ' ';
  }

  const bytesText = value => numberText(value) + 'B';
  const rateText = value => numberText(value) + 'B/s';

  function scale(title, text, extra = {}) {
    return {
      title: {display: true, text: title, color: style('--muted')},
      ticks: {color: style('--muted'), callback: text, maxTicksLimit: 8},
      grid: {color: style('--line')},
      ...extra,
    };
  }

  // A place for one chart, drawn at once. `table` says the same without a picture.
  function draw(place, title, config, label) {
    const box = document.createElement('div');
    box.className = 'chart';
    const heading = document.createElement('h4');
    heading.textContent = title;
    const frame = document.createElement('div');
    frame.className = 'canvas';
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', label || title);
    frame.append(canvas);
    box.append(heading, frame);
    place.append(box);
    config.options = {
      animation: false, responsive: true, maintainAspectRatio: false,
      ...config.options,
    };
    config.options.plugins = {
      legend: {labels: {color: style('--text'), usePointStyle: true}},
      ...config.options.plugins,
    };
    open.set(canvas, new Chart(canvas, config));
    return canvas;
  }

  // Bars with their intervals. `bars`: {label, value, low, high, colour}.
  function bars(place, title, list, text) {
    const values = list.flatMap(bar => [bar.value, bar.low ?? bar.value, bar.high ?? bar.value]);
    const logarithmic = Math.max(...values) > 20 * Math.min(...values);
    const floor = logarithmic ? Math.min(...values) / 2 : 0;
    draw(place, title, {
      data: {
        labels: list.map(bar => bar.label),
        datasets: [{
          type: 'bar', label: '95 % interval', grouped: false, barThickness: 3, order: 0,
          data: list.map(bar => bar.low === undefined ? null : [bar.low, bar.high]),
          backgroundColor: style('--text'),
        }, {
          type: 'bar', label: 'geometric mean', grouped: false, order: 1, maxBarThickness: 46,
          data: list.map(bar => [floor, bar.value]),
          backgroundColor: list.map(bar => bar.colour + 'cc'),
        }],
      },
      options: {
        indexAxis: 'y',
        scales: {
          x: scale(logarithmic ? 'logarithmic' : '', text,
                   logarithmic ? {type: 'logarithmic', min: floor} : {beginAtZero: true}),
          y: {ticks: {color: style('--text')}, grid: {display: false}},
        },
        plugins: {
          legend: {display: false},
          tooltip: {callbacks: {label: item => item.datasetIndex === 0
            ? '95 %: ' + text(item.raw[0]) + ' to ' + text(item.raw[1]) : text(item.raw[1])}},
        },
      },
    }, title + ': ' + list.map(bar => bar.label + ' ' + text(bar.value)).join(', '));
  }

  // Lines over numbers. `series`: {label, points: [[x, y], ...], stepped}.
  function lines(place, title, series, axes) {
    draw(place, title, {
      type: 'line',
      data: {
        datasets: series.map((one, i) => ({
          ...look(one.index ?? i), label: one.label, stepped: one.stepped || false,
          pointRadius: one.stepped ? 0 : 4,
          data: one.points.map(([x, y]) => ({x, y})),
        })),
      },
      options: {
        scales: {
          x: scale(axes.x, axes.xText, {type: axes.xType || 'linear', ...axes.xExtra}),
          y: scale(axes.y, axes.yText, {type: axes.yType || 'linear', ...axes.yExtra}),
        },
        plugins: {
          tooltip: {callbacks: {
            title: items => axes.xText(items[0].parsed.x),
            label: item => item.dataset.label + ': ' + axes.yText(item.parsed.y),
          }},
        },
      },
    });
  }

  // The distribution of values as a step function. `series`: {label, values}.
  function cdf(place, title, series, xTitle, text) {
    const all = series.flatMap(one => one.values);
    const logarithmic = Math.max(...all) > 20 * Math.min(...all);
    lines(place, title, series.map(one => {
      const sorted = [...one.values].sort((a, b) => a - b);
      const points = sorted.map((value, i) => [value, (i + 1) / sorted.length]);
      return {...one, stepped: 'before', points: [[sorted[0], 0], ...points]};
    }), {
      x: xTitle, y: 'share of boots', xText: text, yText: value => Math.round(value * 100) + ' %',
      xType: logarithmic ? 'logarithmic' : 'linear', yExtra: {min: 0, max: 1},
    });
  }

  // Charts whose canvas is gone hold memory; those that stay take the new theme's colours.
  function forget(element) {
    for (const canvas of element.querySelectorAll('canvas')) {
      open.get(canvas)?.destroy();
      open.delete(canvas);
    }
  }

  return {bars, lines, cdf, forget, timeText, numberText, bytesText, rateText, colour: i => kColours[i % kColours.length]};
})();
