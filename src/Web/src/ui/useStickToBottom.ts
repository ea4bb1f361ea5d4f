import type { RefObject } from 'react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

const near = 60;

interface StickToBottom {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  /** False once the person has scrolled up to read. */
  readonly stuck: boolean;
  readonly jump: () => void;
}

/** Keeps the end of a growing text in view until its reader scrolls up, and again once they come back to the end. */
export function useStickToBottom(): StickToBottom {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const wanted = useRef(true);
  const lastTop = useRef(0);
  const [stuck, setStuck] = useState(true);

  const follow = useCallback(() => {
    const element = scroller.current;
    if (!element || !wanted.current) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, []);

  useLayoutEffect(follow, [follow]);

  useEffect(() => {
    const element = scroller.current;
    const inner = content.current;
    if (!element || !inner) return undefined;
    const scrolled = () => {
      const toEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
      const up = element.scrollTop < lastTop.current - 1;
      // Moving up, however little, is a wish to stay; at the very end it was only the content that shrank. Content that
      // grows moves the end away without anybody scrolling, and so is no wish at all.
      if (up) wanted.current = toEnd <= 1;
      else if (toEnd < near) wanted.current = true;
      lastTop.current = element.scrollTop;
      setStuck(wanted.current);
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(element);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', scrolled);
    };
  }, [follow]);

  const jump = useCallback(() => {
    wanted.current = true;
    setStuck(true);
    follow();
  }, [follow]);

  return { scroller, content, stuck, jump };
}
