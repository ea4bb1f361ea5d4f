// Pictures of every page, light and dark, wide and narrow:  npm run build && npm run screenshots [folder]
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { startMock } from './mockServer.mjs';

const folder = process.argv[2] ?? '../../artifacts/screenshots';
const only = process.argv[3] ? new RegExp(process.argv[3]) : /./;
await mkdir(folder, { recursive: true });
const mock = await startMock({ speed: 0.5 });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
const problems = [];

const sessionOf = (title) => mock.host.sessions.find((session) => session.title === title);
const open = (path) => async (page) => { await page.goto(mock.url + path); await page.waitForTimeout(500); };
const session = (title) => async (page) => { await page.goto(`${mock.url}/sessions/${sessionOf(title).id}`); await page.waitForTimeout(700); };

async function started(page, prompt, repository = 'https://github.com/acme/duration') {
  const made = mock.host.create({ title: prompt, model: 'demo/scripted', repository: repository && { url: repository, branch: 'main' }, permissions: 'ask' });
  mock.host.prompt(made, prompt);
  await page.goto(`${mock.url}/sessions/${made.id}`);
  return made;
}

const scenes = {
  'sign-in': async (page) => { mock.host.signedIn = false; await open('/')(page); mock.host.signedIn = true; },
  'sign-in-spent': async (page) => { await page.goto(`${mock.url}/sign-in#sl_spent`); await page.waitForTimeout(500); },
  home: open('/'),
  new: open('/new'),
  'new-errors': async (page) => {
    await open('/new')(page);
    await page.fill('[data-field=repository]', 'acme/app');
    await page.fill('[data-field=prompt]', 'Mend it');
    await page.click('text=Start session');
    await page.waitForTimeout(200);
  },
  settings: open('/settings'),
  answered: session('Mend the duration format'),
  'answered-top': async (page) => { await session('Mend the duration format')(page); await page.evaluate(() => document.querySelector('.scroller').scrollTo(0, 0)); await page.waitForTimeout(400); },
  failed: session('Try the demo model'),
  'boot-failed': session('Import customers from the old system'),
  archived: session('Why is the cold start slow?'),
  booting: async (page) => { await started(page, 'Boot and look'); await page.waitForTimeout(750); },
  working: async (page) => {
    const made = await started(page, 'A long task with a queue');
    for (const text of ['Then run the linter over everything', 'And at the end write a short summary of what changed, for the changelog']) mock.host.prompt(made, text);
    await page.waitForSelector('.tool .spinner', { timeout: 20_000 });
    await page.waitForSelector('text=Count slowly >> nth=0', { timeout: 500 }).catch(() => undefined);
    await page.waitForTimeout(1500);
  },
  permission: async (page) => { await started(page, 'A task with permission', null); await page.waitForSelector('.permission', { timeout: 20_000 }); await page.waitForTimeout(300); },
  reconnecting: async (page) => {
    await session('Mend the duration format')(page);
    mock.refuse(true);
    mock.cut(4000);
    await page.fill('textarea', 'Round the seconds first, please');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(1800);
    mock.refuse(false);
  },
  archive: async (page) => { await session('Mend the duration format')(page); await page.click('[aria-label=Archive]'); await page.waitForTimeout(200); },
};

const looks = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 860 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 860 } },
  { name: 'narrow', colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { name: 'narrow-dark', colorScheme: 'dark', viewport: { width: 390, height: 844 } },
];

mock.host.signedIn = true;
try {
  for (const look of looks) {
    for (const [scene, play] of Object.entries(scenes)) {
      if (!only.test(`${scene}-${look.name}`)) continue;
      const context = await browser.newContext({ viewport: look.viewport, colorScheme: look.colorScheme, deviceScaleFactor: 1 });
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(`${scene}-${look.name}: ${error.message}`));
      page.on('console', (message) => { if (message.type() === 'error' && !/status of 4|WebSocket/.test(message.text())) problems.push(`${scene}-${look.name}: ${message.text()}`); });
      await play(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) problems.push(`${scene}-${look.name}: the page is ${wide} pixels too wide`);
      await page.screenshot({ path: `${folder}/${scene}-${look.name}.png` });
      await context.close();
    }
  }
} finally {
  await browser.close();
  await mock.stop();
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
