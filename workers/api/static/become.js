// What is in an element becomes what is in another. What is equal is not touched: it keeps the focus, what is unfolded
// stays unfolded, and a screen reader hears of what has changed alone.
export function become(was, now) {
  const wanted = [...now.childNodes];
  while (was.childNodes.length > wanted.length) was.lastChild.remove();
  wanted.forEach((one, i) => {
    const old = was.childNodes[i];
    if (!old) was.append(one);
    else if (old.nodeName !== one.nodeName) old.replaceWith(one);
    else if (one.nodeType !== Node.ELEMENT_NODE) { if (old.data !== one.data) old.data = one.data; }
    else { take(old, one); become(old, one); }
  });
}

function take(was, now) {
  const kept = was.nodeName === "DETAILS" ? ["open"] : [];
  for (const { name } of [...was.attributes]) if (!now.hasAttribute(name) && !kept.includes(name)) was.removeAttribute(name);
  for (const { name, value } of now.attributes) if (was.getAttribute(name) !== value) was.setAttribute(name, value);
}
