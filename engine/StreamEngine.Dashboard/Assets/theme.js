// Light or dark: as the system has it until somebody chooses, and as chosen from then on.
(() => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem('theme'); } catch { return null; } };
  const isDark = () => (root.dataset.theme || '') === 'dark'
    || (!root.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  const wanted = stored();
  if (wanted === 'light' || wanted === 'dark') root.dataset.theme = wanted;
  document.addEventListener('click', e => {
    if (!(e.target instanceof Element) || !e.target.closest('[data-toggle-theme]')) return;
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try { localStorage.setItem('theme', root.dataset.theme); } catch { /* it is chosen for this page alone */ }
  });
})();
