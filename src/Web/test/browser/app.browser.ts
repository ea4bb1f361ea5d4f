import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MockSession } from '../mock/host.mjs';
import type { Mock } from '../mockServer.mjs';
import { startMock } from '../mockServer.mjs';

let browser: Browser;
let mock: Mock;
let page: Page;
let errors: string[];

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
});

afterAll(() => browser.close());

beforeEach(async () => {
  mock = await startMock({ speed: 0.1, seeded: false });
  mock.host.signedIn = true;
  page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|React/.test(message.text())) errors.push(message.text());
  });
});

afterEach(async () => {
  await page.context().close();
  await mock.stop();
  expect(errors).toEqual([]);
});

const settings = { title: 'A session', model: 'demo/scripted', repository: null };
const prompts = (session: MockSession, text: string) => session.events.filter((event) => event.type === 'message.queued' && event.data['text'] === text).length;
const open = (session: MockSession) => page.goto(`${mock.url}/sessions/${session.id}`);
const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });

async function idle(text = 'say Ready.'): Promise<MockSession> {
  return mock.host.finished({ ...settings, prompt: text }, 0.01);
}

describe('signing in', () => {
  test('A one-time link signs in and leaves the address bar', async () => {
    mock.host.signedIn = false;
    await page.goto(`${mock.url}/sign-in#sl_good`);
    await page.getByRole('heading', { name: 'Put an agent to work' }).waitFor();
    expect(page.url()).toBe(`${mock.url}/`);
  });

  test('A spent link says how to get another', async () => {
    mock.host.signedIn = false;
    await page.goto(`${mock.url}/sign-in#sl_old`);
    await page.getByText('This sign-in link no longer works').waitFor();
    await page.getByText('coordinator login', { exact: true }).waitFor();
    expect(page.url()).not.toContain('sl_old');
  });

  test('Somebody who is not signed in is shown the way in, whatever page they open', async () => {
    mock.host.signedIn = false;
    await page.goto(`${mock.url}/settings`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});

describe('starting a session', () => {
  test('A session starts with its first prompt and streams to its end', async () => {
    await page.goto(`${mock.url}/new`);
    await page.getByLabel('What should the agent do?').fill('Mend the test');
    await page.getByRole('radio', { name: /Scripted/ }).check();
    await page.getByRole('button', { name: 'Start session' }).click();
    await page.getByText('The test passes now.').waitFor();
    await page.getByText('2 files changed').waitFor();
    await expect.poll(() => page.getByText('Demo', { exact: true }).count()).toBeGreaterThan(1);
  });

  test('What is wrong is said beside its field, and the field is where the person is', async () => {
    await page.goto(`${mock.url}/new`);
    await page.getByRole('radio', { name: /Scripted/ }).waitFor();
    await page.getByLabel('What should the agent do?').fill('Mend the test');
    await page.getByRole('button', { name: 'Start session' }).click();
    await page.getByText('Choose a model; there is no default.').waitFor();
    await page.getByRole('radio', { name: /Another model/ }).check();
    await page.getByLabel('Model as provider/model').fill('nobody/model');
    await page.getByRole('button', { name: 'Start session' }).click();
    await page.getByText('There is no provider "nobody".').waitFor();
  });
});

describe('talking', () => {
  test('A prompt sent while disconnected goes once when the host is back, and the draft survives a reload', async () => {
    const session = await idle();
    await open(session);
    await page.getByText('Ready.', { exact: true }).waitFor();
    mock.refuse(true);
    mock.cut(4000);
    await composer().fill('say Back.');
    await composer().press('Enter');
    await page.getByText('Will be sent when the connection is back').waitFor();
    await composer().fill('a draft');
    await page.reload();
    mock.refuse(false);
    await page.getByText('Back.', { exact: true }).waitFor();
    expect(prompts(session, 'say Back.')).toBe(1);
    await expect.poll(() => composer().inputValue()).toBe('a draft');
  });

  test('A list that a starting host could not give comes by itself once it has started', async () => {
    const session = await idle();
    const starting = { code: 'starting', detail: 'The host is starting.' };
    await page.route('**/v1/sessions?*', (route) => route.fulfill({ status: 503, headers: { 'Content-Type': 'application/problem+json' }, body: JSON.stringify(starting) }));
    await open(session);
    await page.getByText('The list cannot be read just now.').waitFor();
    await page.unroute('**/v1/sessions?*');
    await page.getByRole('navigation', { name: 'Sessions' }).getByRole('link', { name: /A session/ }).waitFor();
    await page.getByText('The list cannot be read just now.').waitFor({ state: 'detached' });
  });

  test('A cut in the middle of an answer leaves no gap and no duplicate', async () => {
    const session = await idle();
    await open(session);
    const words = Array.from({ length: 300 }, (_, index) => `w${index}`).join(' ');
    await composer().fill(`say ${words}`);
    await composer().press('Enter');
    await page.getByText('w0 w1 w2').last().waitFor();
    mock.cut();
    await page.getByText(/w1[0-9]{2} /).last().waitFor();
    mock.cut();
    await expect.poll(() => page.locator('.turn .markdown').last().innerText(), { timeout: 10_000 }).toBe(words);
  });

  test('Stopping says so until the message has stopped', async () => {
    const session = await idle();
    await open(session);
    await composer().fill('do a long task');
    await composer().press('Enter');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByText('Stopped.', { exact: true }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: /^Stop/ }).count()).toBe(0);
  });

  test('Waiting messages are edited, moved and cancelled where they stand', async () => {
    const session = mock.host.create({ ...settings, prompt: 'x' }, 5);
    for (const text of ['do a long task', 'first', 'second', 'third']) mock.host.prompt(session, text);
    await open(session);
    const queue = page.getByRole('region', { name: 'Waiting messages' });
    const rows = () => queue.locator('.queue-text').allInnerTexts();
    await expect.poll(rows).toEqual(['first', 'second', 'third']);
    await queue.getByRole('button', { name: 'Move down' }).first().click();
    await expect.poll(rows).toEqual(['second', 'first', 'third']);
    await queue.getByRole('button', { name: 'Move up' }).last().click();
    await expect.poll(rows).toEqual(['second', 'third', 'first']);
    await queue.getByRole('button', { name: 'Edit' }).first().click();
    await queue.getByRole('textbox').fill('changed');
    await queue.getByRole('textbox').press('Enter');
    await expect.poll(rows).toEqual(['changed', 'third', 'first']);
    await queue.getByRole('button', { name: 'Cancel this message' }).nth(1).click();
    await expect.poll(rows).toEqual(['changed', 'first']);
  });

  test('A question of the agent is answered and the turn goes on', async () => {
    const session = await idle();
    await open(session);
    await composer().fill('a task with permission');
    await composer().press('Enter');
    await page.getByRole('heading', { name: 'The agent wants to run a command' }).waitFor();
    await page.getByText(/\d:\d\d left|\d+ s left/).waitFor();
    await page.getByRole('button', { name: 'Reject…' }).click();
    await page.getByLabel('Note to the agent').fill('use pnpm');
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.getByText('“use pnpm”').waitFor();
    await page.getByText('The test passes now.').waitFor();
  });

  test('A failure says why after a reload too, and is retried as a new message', async () => {
    const session = await idle('fail now');
    await open(session);
    await page.getByText('The model failed').waitFor();
    await page.reload();
    await page.getByText('The model answered 529').waitFor();
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('Retried below.').waitFor();
    await expect.poll(() => session.events.filter((event) => event.type === 'message.queued').at(-1)?.data['retryOf']).toBe(session.messages[0]?.id);
  });

  test('Renaming and archiving', async () => {
    const session = await idle();
    await open(session);
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('Title', { exact: true }).fill('A better name');
    await page.getByLabel('Title', { exact: true }).press('Enter');
    await page.getByRole('heading', { name: 'A better name' }).waitFor();
    await page.getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await page.getByText('This session is archived').waitFor();
    expect(session.archived).toBe(true);
  });
});

describe('reading', () => {
  test('Scrolling up stops the following and one press brings it back', async () => {
    const session = mock.host.create({ ...settings, prompt: 'x' }, 0.5);
    mock.host.prompt(session, 'do a long task');
    await open(session);
    await page.getByText(/line \d+:/).first().waitFor();
    await page.locator('.scroller').hover({ position: { x: 20, y: 200 } });
    await page.mouse.wheel(0, -40);
    const jump = page.getByRole('button', { name: 'Jump to latest' });
    await jump.waitFor();
    const top = () => page.locator('.scroller').evaluate((element) => element.scrollTop);
    let before = await top();
    await expect.poll(async () => before === (before = await top())).toBe(true); // the wheel has come to rest
    const shown = () => page.locator('.scroller').innerText();
    const seen = await shown();
    await expect.poll(shown).not.toBe(seen);
    expect(await top()).toBe(before);
    await jump.click();
    await expect.poll(() => page.locator('.scroller').evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)).toBeLessThan(60);
  });

  test('One unknown event type does not blank the page', async () => {
    const session = await idle();
    await open(session);
    await page.getByText('Ready.', { exact: true }).waitFor();
    session.emit('hologram.projected', { beam: [1, { deep: true }] }, session.messages[0]?.id ?? '');
    await composer().fill('say Still here.');
    await composer().press('Enter');
    await page.getByText('Still here.', { exact: true }).waitFor();
  });

  test('Typing stays as quick behind ten thousand events as in an empty session', async () => {
    await open(await idle());
    const alone = await typing();
    const session = await idle();
    for (let index = 0; session.events.length < 10_000; index++) {
      const id = `msg_big${index}`;
      session.emit('message.queued', { text: `Question ${index}`, position: 0, model: 'demo/scripted', by: { kind: 'user', id: 'usr_1', displayName: 'Ada' } }, id);
      session.emit('message.started', {}, id);
      for (let call = 0; call < 30; call++) {
        const callId = `${index}.${call}`;
        session.emit('tool.started', { callId, tool: 'bash', input: { command: `echo ${callId}` } }, id);
        session.emit('tool.completed', { callId, tool: 'bash', input: { command: `echo ${callId}` }, output: `${callId}\n`, exitCode: 0, durationMs: 3 }, id);
      }
      for (let part = 0; part < 40; part++) session.emit('agent.text', { part: 'p', offset: part * 20, text: '**Bold** and `code`. ' }, id);
      session.emit('message.completed', { usage: {}, durationMs: 10 }, id);
    }
    await open(session);
    await page.locator('.turn').first().waitFor();
    expect(await typing()).toBeLessThan(4 * alone + 50);
  });
});

/** How long a key takes until the next frame, in the middle of twenty. */
function typing(): Promise<number> {
  return composer().evaluate(async (element: HTMLTextAreaElement) => {
    const took: number[] = [];
    for (let index = 0; index < 20; index++) {
      const begin = performance.now();
      element.focus();
      document.execCommand('insertText', false, 'a');
      await new Promise((resolve) => requestAnimationFrame(resolve));
      took.push(performance.now() - begin);
    }
    return took.sort((one, other) => one - other)[10] ?? Infinity;
  });
}

describe('settings', () => {
  test('A key is set, never shown, and makes its models ready', async () => {
    await page.goto(`${mock.url}/settings`);
    await page.getByRole('button', { name: 'Set the key of OpenAI' }).click();
    await page.getByLabel('Value of models/openai').fill('sk-very-secret-1234');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Ends in').waitFor();
    expect(await page.content()).not.toContain('sk-very-secret');
    await page.getByRole('link', { name: 'New session' }).click();
    await page.getByRole('radio', { name: /GPT-5.1 Codex/ }).waitFor();
  });

  test('An API key is shown once and can be revoked', async () => {
    await page.goto(`${mock.url}/settings`);
    await page.getByLabel('Name', { exact: true }).fill('Robot');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByText('ck_mock').waitFor();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await page.getByRole('button', { name: 'Revoke the key Robot' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await expect.poll(() => page.getByText('ck_…').count()).toBe(0);
  });

  test('The theme is chosen and kept', async () => {
    await page.goto(`${mock.url}/settings`);
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByText('Dark', { exact: true }).click();
    await expect.poll(background).not.toBe(light);
    await page.reload();
    await expect.poll(background).not.toBe(light);
  });
});
